"""The file of a draft that the console fetches from an address, before its check."""

from django.conf import settings

from console.uploads import LARGEST_FILE, need_room
from files.remote.fetching import fetch
from writes.models import Write
from writes.storage import NewFiles
from writes.worker.progress import Progress, Stopped


def is_to_be_fetched(write: Write) -> bool:
    """Tell whether a draft names the address of its file, and has not got it yet."""
    return write.source == Write.Source.CSV and bool(write.url) and not write.original


def fetch_file(write: Write, progress: Progress) -> None:
    """Fetch the file of a draft and keep it as if it had been uploaded.

    Its address is forgotten then: it may be as good as a password. Raises `NotLooked`
    where the file does not come, `TooLittleRoom`, and `Stopped` if the draft was
    changed meanwhile.
    """
    progress.need_worker()
    progress.step("Fetching", write.remote_file.get("size") or 0)
    new_files = NewFiles()
    path = new_files.path("original")
    try:
        fetch(
            write.url,
            path,
            largest=LARGEST_FILE,
            private_hosts=settings.PRIVATE_HOSTS,
            progress=progress,
            need_room=need_room,
        )
        name = new_files.name_of(path)
        mine = Write.objects.filter(
            pk=write.pk, state=Write.State.DRAFT, edition=write.edition
        )
        if not mine.update(original=name, url="", remote_file={}):
            raise Stopped
    except BaseException:
        new_files.discard()
        raise
    write.refresh_from_db()
