"""The page of a user, and what an admin does there."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.forms import BoundField
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from console.access.roles import may_change_user, require_admin_everywhere
from console.actor import Actor
from console.environments import Environment
from console.http import ConsoleRequest
from console.models.first_password import must_change_password
from console.sign_in import kept_form
from console.sign_in.second_factor import has_second_factor
from console.sign_in.sessions import signed_in
from console.users import change
from console.users.forms import AccessForm, DetailsForm, FirstPasswordForm
from console.users.invitation import DAYS
from console.users.last_admin import LastAdmin
from console.users.mailed_link import can_mail_links
from console.views.lookup import find_person
from console.views.pages import posted
from console.views.tokens import revoke, tokens_of
from console.views.users import send_link, words_of


@require_safe
@never_cache
@require_admin_everywhere
def user(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show what a user may do, and where they are signed in."""
    return _page(request, get_object_or_404(User, pk=pk))


def _page(
    request: ConsoleRequest, person: User, form: AccessForm | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "person": person,
        "is_self": person == request.user,
        "roles": words_of(person),
    }
    if may_change_user(request.user, person):
        form = form or _access_form(request, person)
        context |= {
            "may_change": True,
            "form": form,
            "rows": _rows(form, person),
            "is_first": must_change_password(person),
            "sessions": signed_in(person),
            "has_second_factor": has_second_factor(person),
            "tokens": tokens_of(person),
            "can_invite": can_mail_links(),
            "days": DAYS,
        }
    status = 422 if form and form.errors else 200
    return render(request, "console/user.html", context, status=status)


def _access_form(request: ConsoleRequest, person: User) -> AccessForm:
    roles = change.all_roles_of(person)
    seen = {"was": ",".join(roles.values()), "is_superuser": person.is_superuser}
    initial = {**roles, **seen}
    data = posted(request)
    return AccessForm(data, initial=initial, editor=request.user, user=person)


@dataclass(frozen=True)
class RoleRow:
    """A line of the table of roles: what holds `now`, and what is chosen."""

    environment: str
    now: str
    field: BoundField


def _rows(form: AccessForm, person: User) -> list[RoleRow]:
    roles = change.all_roles_of(person)
    return [
        RoleRow(word, roles[word] or "none", form[word]) for word in Environment.values
    ]


@require_POST
def access(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Give a user other roles; they count from their next request on."""
    person = find_person(request, pk)
    form = _access_form(request, person)
    if not form.is_valid():
        return _page(request, person, form)
    try:
        changed = change.change_access(
            person,
            form.roles,
            is_superuser=form.makes_superuser,
            was=form.roles_seen,
            actor=Actor.of(request),
        )
    except (change.NotChanged, LastAdmin) as error:
        return _refused(request, person, form, error)
    if changed:
        messages.success(request, f"Changed: {_told(changed)}.")
    else:
        messages.info(request, "Nothing was changed: these are the roles already.")
    return redirect("users:detail", pk)


def _refused(
    request: ConsoleRequest, person: User, form: AccessForm, error: ValueError
) -> HttpResponse:
    """Show what was chosen once more, beside the roles as they are now."""
    person.refresh_from_db()
    form.add_error(None, str(error))
    was = ",".join(change.all_roles_of(person).values())
    form.data = {**request.POST.dict(), "was": was}
    return _page(request, person, form)


def _told(changed: dict[str, list[Any]]) -> str:
    """Say what changed, as "Production: operator → viewer"."""
    labels = dict(Environment.choices)
    told = []
    for name, (before, after) in changed.items():
        if name == "is_superuser":
            told.append("superuser" if after else "no superuser any more")
        else:
            told.append(f"{labels[name]}: {before or 'none'} → {after or 'none'}")
    return ", ".join(told)


@require_http_methods(["GET", "HEAD", "POST"])
def user_edit(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Change how a user is called and reached."""
    person = find_person(request, pk)
    form = DetailsForm(posted(request), instance=person)
    if form.is_valid():
        change.change_details(form.save(commit=False), Actor.of(request))
        messages.success(request, "Saved.")
        return redirect("users:detail", pk)
    kept_form.fill(form, request)
    # What was typed is on the form's own copy, and the page is of who is stored.
    context = {"form": form, "person": User.objects.get(pk=pk)}
    status = 422 if form.errors else 200
    return render(request, "console/user_edit.html", context, status=status)


@require_POST
def deactivate(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Close an account: its sessions end, and its tokens open nothing."""
    return _set_active(request, pk, is_active=False)


@require_POST
def activate(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Open a closed account."""
    return _set_active(request, pk, is_active=True)


def _set_active(request: ConsoleRequest, pk: int, *, is_active: bool) -> HttpResponse:
    person = find_person(request, pk)
    try:
        is_new = change.set_active(person, is_active, Actor.of(request))
    except (change.NotChanged, LastAdmin) as error:
        messages.error(request, f"Nothing was changed. {error}")
        return redirect("users:detail", pk)
    word = "active" if is_active else "inactive"
    if is_new:
        messages.success(request, f"{person} is {word} now.")
    else:
        messages.info(request, f"Nothing was changed: {person} is {word} already.")
    return redirect("users:detail", pk)


@sensitive_post_parameters("new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def user_password(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Set a first password for somebody else; the own one is changed elsewhere."""
    person = find_person(request, pk)
    if person == request.user:
        # Whoever finds a browser open must not set it without the old one.
        return redirect("password")
    form = FirstPasswordForm(person, posted(request))
    if form.is_valid():
        change.set_first_password(
            person, form.cleaned_data["new_password1"], Actor.of(request)
        )
        messages.success(
            request,
            f"The first password of {person} was set. They are signed out everywhere.",
        )
        return redirect("users:detail", pk)
    context = {"form": form, "person": person}
    status = 422 if form.errors else 200
    return render(request, "console/user_password.html", context, status=status)


@require_POST
def link(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Send a user a link to choose a password by."""
    person = find_person(request, pk)
    if not (can_mail_links() and person.email and person.is_active):
        messages.error(
            request,
            "No link was sent: that needs a mail server, an e-mail address and an "
            "active account.",
        )
    else:
        send_link(request, person)
    return redirect("users:detail", pk)


@require_POST
def end_sessions(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Sign a user out everywhere."""
    person = find_person(request, pk)
    count = change.end_all_sessions(person, Actor.of(request))
    messages.success(request, f"{person} is signed out: {count} sessions ended.")
    return redirect("users:detail", pk)


@require_POST
def token_revoke(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Revoke a token of a user."""
    revoke(request, find_person(request, pk))
    return redirect("users:detail", pk)
