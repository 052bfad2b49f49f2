"""One pooled HTTP client for each way of speaking to a project, in each process."""

from functools import lru_cache

from ampersand import Client, SecretStr, UpdateStyle


@lru_cache(maxsize=64)
def client_for(
    *,
    api_key: SecretStr,
    write_url: str,
    api_url: str,
    generation: str,
    update_style: UpdateStyle,
    timeout: float,
) -> Client:
    """Return the client with these settings, with its connections kept open.

    A changed key or address is another client; the least used one is let go.
    """
    return Client(
        api_key=api_key,
        write_url=write_url,
        api_url=api_url,
        generation=generation,
        update_style=update_style,
        timeout=timeout,
    )
