"""Posting a short message to an address of somebody else's, once."""

from collections.abc import Mapping

import httpx

from ampersand.network import Resolve, deadline, keep_deadlines, trusted

# In the same words whatever kept it away, so that nobody learns by it what there is.
UNREACHABLE = (
    "Nothing answers there in time, its name is not known, or only its own network "
    "reaches it."
)


class PostFailed(Exception):
    """It was not taken, as far as we know; the text says why, without the address."""


def post(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    resolve: Resolve,
    seconds: float,
) -> None:
    """Post `body` within so many seconds, straight to where `resolve` says.

    No proxy is asked, no redirect followed and no answer read but its status. Raises:
    PostFailed unless that is 2xx.
    """
    try:
        with httpx.Client(verify=trusted(), trust_env=False, timeout=seconds) as client:
            keep_deadlines(client, resolve)
            request = client.build_request(
                "POST", address, content=body, headers=dict(headers)
            )
            with deadline(seconds):
                answer = client.send(request, stream=True)
                answer.close()
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        raise PostFailed(UNREACHABLE) from None
    if not answer.is_success:
        raise PostFailed(f"It answered {answer.status_code}.")
