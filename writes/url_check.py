"""Looking at the address of a URL write: for its review, and before it is sent."""

from django.conf import settings

from ampersand import RequestInvalid
from console.runtime.trouble import Prevented
from files.remote import looking
from files.remote.looking import NotLooked, RemoteFile
from writes.models import Write


def look(write: Write) -> RemoteFile:
    """Look at the address. Raises `NotLooked` with a reason for people."""
    return looking.look(
        write.url,
        key=write.primary_key,
        private_hosts=settings.PRIVATE_HOSTS,
    )


def need_same(write: Write) -> None:
    """Raise `RequestInvalid` if the address gives something else than was reviewed.

    Raises `Prevented` where that cannot be told now.
    """
    if not write.remote_file:
        return
    before = RemoteFile.from_json(write.remote_file)
    try:
        now = look(write)
    except NotLooked as error:
        text = f"The console could not check the URL again. {error}"
        raise Prevented(text) from None
    change = looking.same(before, now)
    if change:
        raise RequestInvalid(
            "Nothing was sent, since the URL no longer returns what was reviewed. "
            f"{change} Review it again."
        )
