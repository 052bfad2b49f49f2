"""What was typed into a form when the sign-in was over: kept for who typed it.

A form that holds `{% typed_by page %}` is kept in the session of the browser, without
its files, until the same person has signed in again and `page` shows it to them. Nobody
else gets to see it, and it is not kept for long. A view may `take` it into its form;
otherwise `{% kept_form %}` has static/typed.js put it there. A form that asks for a
secret is never kept.

A form that stays open while somebody else signs in is not theirs: `is_of_another`.
"""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone

from console.models import Session

FIELD = "typed_by"
KEPT = "kept_form"
KEPT_SECONDS = 3600
# Longer than any form stays open.
NOTE_SECONDS = 7 * 24 * 3600
SALT = "console.sign_in.kept_form"
UNREADABLE = (SuspiciousOperation, MultiPartParserError, UnreadablePostError)
NOT_KEPT = ("csrfmiddlewaretoken", FIELD)


def typed_by(user: Any, page: str) -> str:
    """Return what a form says of who has it before them, and where it is shown."""
    return signing.dumps([user.pk, page], salt=SALT)


def keep(request: HttpRequest) -> str:
    """Keep what a form holds that nobody signed in sent; return its page, or ""."""
    try:
        note = request.POST.get(FIELD, "")
        person, page = signing.loads(note, salt=SALT, max_age=NOTE_SECONDS)
    except (signing.BadSignature, *UNREADABLE):
        return ""
    typed = {k: v for k, v in request.POST.lists() if k not in NOT_KEPT}
    until = timezone.now().timestamp() + KEPT_SECONDS
    request.session[KEPT] = {
        "person": person,
        "page": page,
        "to": request.path,
        "typed": typed,
        "until": until,
    }
    return str(page)


def forget_others(session: SessionBase, user: AbstractBaseUser) -> None:
    """Drop what somebody else than `user`, who signs in, has typed."""
    if session.get(KEPT, {}).get("person") != user.pk:
        session.pop(KEPT, None)


def forget_old(now: datetime) -> None:
    """Delete sessions that are over, with what was kept in some of them."""
    Session.objects.filter(expire_date__lte=now).delete()


def is_of_another(request: HttpRequest) -> bool:
    """Tell whether somebody else than who is signed in has typed what is sent.

    Raises what Django does for a body that cannot be parsed: who asked for it once is
    given an empty one the next time, which would be taken for a form without values.
    """
    try:
        person, _ = signing.loads(request.POST.get(FIELD, ""), salt=SALT)
    except (signing.BadSignature, UnreadablePostError):
        return False
    return bool(person != request.user.pk)


def taken(request: HttpRequest, do: str = "") -> dict[str, Any] | None:
    """Return what was kept for this page and this person, once: `to` and `typed`.

    With `do` only what was sent by the button of that name.
    """
    kept = request.session.get(KEPT)
    if request.method != "GET" or not kept or kept["person"] != request.user.pk:
        return None
    if kept["page"] != request.path or (do and kept["typed"].get("do") != [do]):
        return None
    del request.session[KEPT]
    if timezone.now().timestamp() > kept["until"]:
        return None
    return dict(kept)


def fill(form: forms.BaseForm, request: HttpRequest) -> None:
    """Begin `form` with what was kept for this page and this person, if that is so."""
    typed = take(request)
    if typed is None:
        return
    for name, field in form.fields.items():
        key = form.add_prefix(name)
        form.initial[name] = field.widget.value_from_datadict(typed, {}, key)


def take(request: HttpRequest, do: str = "") -> QueryDict | None:
    """Return what was typed for this page and this person, once, and say so."""
    kept = taken(request, do)
    if kept is None:
        return None
    messages.info(
        request,
        "Nothing was sent or stored. What you typed is here again. Look at it before "
        "you go on.",
    )
    typed = QueryDict(mutable=True)
    for name, values in kept["typed"].items():
        typed.setlist(name, values)
    return typed
