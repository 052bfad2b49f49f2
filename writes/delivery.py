"""How a file that is too big for one request may reach Ampersand."""

from django.conf import settings

from files.remote.looking import LARGEST as LARGEST_URL
from writes.models import Write


def deliveries(write: Write, size: int) -> list[str]:
    """Return how a file of `size` bytes, too big for one request, can be handed over.

    Ampersand fetches no more than 150 MiB. Where a file can be put into its storage, it
    need not go as the text of many requests.
    """
    able = write.project.capabilities
    ways = [Write.Delivery.UPLOAD if able.largest_upload else Write.Delivery.PARTS]
    if size > LARGEST_URL:
        return [str(way) for way in ways]
    if settings.PUBLIC_URL:
        ways.append(Write.Delivery.CONSOLE)
    if settings.S3_BUCKET and settings.S3_ENDPOINT:
        ways.append(Write.Delivery.STORE)
    return [str(way) for way in ways]
