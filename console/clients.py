"""One pooled HTTP client for each way of speaking to a project, in each process."""

import asyncio
import os
import threading
from collections.abc import Collection, Coroutine, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from django.conf import settings

from ampersand import (
    AddressRefused,
    AsyncReader,
    Client,
    IdSpelling,
    SecretStr,
    UpdateStyle,
)
from console.validators import may_have_keys
from files.remote.addresses import leads_inside, resolved

# How long one wait may last while many are asked about: the next turn comes soon.
READ_TIMEOUT = 10.0
# A server that asks for more is asked again in a later turn.
LONGEST_PAUSE = 2.0

_starting = threading.Lock()


def addresses_for_keys(host: str, port: int) -> Sequence[str]:
    """Return where to connect to with an API key, as the resolver says now.

    Raises `AddressRefused` for a host that may have no keys, and for one that leads
    inside although nobody allowed it by name; OSError for one that is not known.
    """
    if not may_have_keys(host, port):
        raise AddressRefused("API_HOSTS does not allow this host")
    return addresses_outside(host, port, named=settings.API_HOSTS)


def addresses_for_uploads(host: str, port: int) -> Sequence[str]:
    """Return where to connect to with a file for Ampersand to fetch.

    Raises `AddressRefused` for a host that leads inside and was not named in API_HOSTS,
    as the sandbox's is; OSError for one that is not known. Which hosts are asked about
    at all, `client_for` says.
    """
    return addresses_outside(host, port, named=settings.API_HOSTS)


def addresses_outside(
    host: str, port: int, *, named: Collection[tuple[str, int]]
) -> Sequence[str]:
    """Return where to connect to, as the resolver says now.

    Raises `AddressRefused` for a host that leads inside and is not among `named`;
    OSError for one that is not known.
    """
    found = resolved(host, port)
    is_named = (host, port) in named
    if leads_inside(map(ip_address, found), may_be_private=is_named):
        raise AddressRefused("The host leads to an address inside the network")
    return found


@lru_cache(maxsize=64)
def client_for(
    *,
    api_key: SecretStr,
    write_url: str,
    api_url: str,
    search_url: str,
    generation: str,
    update_style: UpdateStyle,
    id_spelling: IdSpelling,
    upload_origins: frozenset[str],
    timeout: float,
) -> Client:
    """Return the client with these settings, with its connections kept open.

    A changed key or address is another client; the least used one is let go.
    """
    return Client(
        api_key=api_key,
        write_url=write_url,
        api_url=api_url,
        search_url=search_url,
        generation=generation,
        update_style=update_style,
        id_spelling=id_spelling,
        timeout=timeout,
        resolve=addresses_for_keys,
        upload_origins=upload_origins,
        resolve_upload=addresses_for_uploads,
    )


@lru_cache(maxsize=64)
def reader_for(*, api_key: SecretStr, api_url: str, timeout: float) -> AsyncReader:
    """Return the reader with these settings; use it within `read_together` alone."""
    return AsyncReader(
        api_key=api_key,
        api_url=api_url,
        timeout=timeout,
        longest_pause=LONGEST_PAUSE,
        resolve=addresses_for_keys,
    )


def read_together[T](work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in the process's one event loop, and return what it returns.

    The loop goes on between the calls, so that readers keep their connections.
    """
    with _starting:
        loop = _loop()
    return asyncio.run_coroutine_threadsafe(work, loop).result()


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="reading", daemon=True).start()
    return loop


# A forked process has neither the thread nor a right to the connections.
os.register_at_fork(after_in_child=_loop.cache_clear)
os.register_at_fork(after_in_child=reader_for.cache_clear)
