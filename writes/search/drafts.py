"""The reader's own drafts, by number, file name, object or customer.

Nobody finds those of others. By `write_drafts`; a draft is deleted after a day.
"""

from django.db.models import Q

from console.validators import LARGEST_ID, whole_number
from writes.models import Write
from writes.search.found import Asked, Found, Kind

SHORTEST = 2


def find(asked: Asked) -> Found:
    """Return drafts of the reader that have the text in one of these."""
    text = asked.text
    if len(text) < SHORTEST:
        return Found()
    said = Q(file_name__icontains=text) | Q(object_name__icontains=text)
    said |= Q(group_name__icontains=text) | Q(group_ref__icontains=text)
    number = text.casefold().removeprefix("write ").removeprefix("#")
    pk = whole_number(number, most=LARGEST_ID)
    if pk is not None:
        said |= Q(pk=pk)
    drafts = Write.objects.visible_to(asked.user).drafts()
    drafts = drafts.filter(said, started_by=asked.user.pk)
    if asked.before:
        drafts = drafts.filter(pk__lt=asked.before)
    read = list(drafts.select_related("integration__project")[: asked.limit + 1])
    shown = read[: asked.limit]
    return Found(drafts=shown, older=shown[-1].pk if len(read) > asked.limit else None)


KIND = Kind("drafts", "Your drafts", find)
