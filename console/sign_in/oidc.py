"""Sign-in by an OpenID Connect provider: who that is, and which roles they have.

django-allauth speaks to the provider and checks what it says. Here a person is found by
the provider's own id of them, or made; OIDC_GROUPS says which roles their groups give.
"""

import re
from typing import Any, NoReturn, cast

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import salted_hmac

from console.access.roles import Role
from console.environments import Environment
from console.models import AuditEvent
from console.models.grant import give, roles_of
from console.models.session import end_sessions
from console.models.sign_in_attempt import LONGEST_NAME, folded_name
from console.sign_in.audit import nobody, record_about

PROVIDER = "oidc"
# What a user name has none of.
NO_NAME = re.compile(r"[^\w.@+-]+")
LONGEST_ADDRESS = 254


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """What allauth asks of the console once a provider has answered."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find or make who that is, with the roles of their groups.

        Raises `ImmediateHttpResponse`, back to the sign-in, for who may not enter.
        """
        claims = _claims_of(sociallogin.account.extra_data)
        # Sessions keep what is left of it until the second factor is shown.
        sociallogin.account.extra_data = {}
        sociallogin.token = None
        if claims is None:
            _refuse(request, "", "its two answers are about different people")
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise ImmediateHttpResponse(_connect(request, sociallogin, claims))
        name = _name_of(claims)
        roles = roles_by_groups(groups_of(claims)) if settings.OIDC_GROUPS else {}
        may_enter = any(roles.values()) or not settings.OIDC_GROUPS
        with transaction.atomic():
            if sociallogin.is_existing:
                sociallogin.account.save()
            elif may_enter:
                _make_person(request, sociallogin, claims)
            if sociallogin.is_existing and settings.OIDC_GROUPS:
                _take_roles(request, sociallogin.user, roles)
        if not may_enter:
            _refuse(request, name, "no group of theirs opens the console")

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """Lead back to the sign-in, and say that it went wrong."""
        reason = type(exception).__name__ if exception else str(error)
        _refuse(request, "", f"the provider did not say who it is: {reason}")


def roles_by_groups(groups: list[str]) -> dict[str, str]:
    """Return the highest role by environment that these groups give; "" is none."""
    found = dict.fromkeys(Environment.values, Role.NONE)
    for group, word, environment in settings.OIDC_GROUPS:
        if group not in groups:
            continue
        for each in [environment] if environment else Environment.values:
            found[each] = max(found[each], Role[word.upper()])
    return {each: role.word if role else "" for each, role in found.items()}


def _claims_of(answers: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the provider says of a person; None where it is of two."""
    token, userinfo = answers.get("id_token") or {}, answers.get("userinfo") or {}
    if token and userinfo and token.get("sub") != userinfo.get("sub"):
        return None
    return {**token, **userinfo}


def groups_of(claims: dict[str, Any]) -> list[str]:
    """Return the groups of a person as a provider tells them, one or several."""
    found = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    groups = found if isinstance(found, list | dict) else [found]
    return [str(each) for each in groups]


def _name_of(claims: dict[str, Any]) -> str:
    """Return what a person would like to be called."""
    for claim in ("preferred_username", "email", "sub"):
        if name := User.normalize_username(_text_of(claims, claim)):
            return name[:LONGEST_NAME]
    return ""


def _text_of(claims: dict[str, Any], claim: str) -> str:
    """Return what a claim says, without what no database stores."""
    said = str(claims.get(claim) or "").replace("\0", "")
    return said.encode(errors="replace").decode().strip()


def _address_of(claims: dict[str, Any]) -> str:
    """Return an e-mail address; "" where what is said of it is none."""
    address = _text_of(claims, "email")
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address if len(address) <= LONGEST_ADDRESS else ""


def _make_person(
    request: HttpRequest, sociallogin: Any, claims: dict[str, Any]
) -> None:
    """Make a person of the console for who is new, without a password."""
    # A provider's name may have signs that no user name here has: "CORP\\anne".
    wanted = NO_NAME.sub("-", _name_of(claims))
    person = User(username=_free_name(wanted))
    person.email = _address_of(claims)
    person.first_name = _text_of(claims, "given_name")[:150]
    person.last_name = _text_of(claims, "family_name")[:150]
    person.set_unusable_password()
    person.full_clean()
    person.save()
    account = sociallogin.account
    account.user = sociallogin.user = person
    account.save()
    AuditEvent.record(
        action="user.created",
        subject=person.username,
        actor=nobody(request),
        detail={"by": settings.OIDC_NAME},
    )


def _free_name(wanted: str) -> str:
    """Return the name, or one like it that nobody has, however it is spelt.

    Who is here by that name already is somebody else: a name proves nothing.
    """
    taken = {folded_name(n) for n in User.objects.values_list("username", flat=True)}
    name, number = wanted, 1
    while folded_name(name) in taken:
        number += 1
        name = f"{wanted[: LONGEST_NAME - 6]}-{number}"
    return name


def _take_roles(request: HttpRequest, person: User, roles: dict[str, str]) -> None:
    """Make the roles of the groups those of `person`; tell it where it is a change."""
    before = roles_of(person)
    if before == {word: role for word, role in roles.items() if role}:
        return
    give(person, roles)
    if not any(roles.values()):
        end_sessions(person)
    pairs = {word: [before.get(word, ""), roles[word]] for word in roles}
    AuditEvent.record(
        action="user.changed",
        subject=person.username,
        actor=nobody(request),
        detail={
            "by_groups_of": settings.OIDC_NAME,
            **{word: pair for word, pair in pairs.items() if pair[0] != pair[1]},
        },
    )


def is_connected(person: User) -> bool:
    """Whether the provider can name `person`, so that it signs them in."""
    rows = SocialAccount.objects.filter(provider=PROVIDER, user=person)
    return bool(rows.exists())


def connect_sign(session: SessionBase) -> str:
    """Return what a link that begins to connect carries: no other site knows it.

    Else such a site could have somebody connect a user of the provider that is its own.
    """
    key = session.session_key or ""
    return salted_hmac("console.sign_in.oidc", key, algorithm="sha256").hexdigest()


def _connect(
    request: HttpRequest, sociallogin: Any, claims: dict[str, Any]
) -> HttpResponseRedirect:
    """Have the provider sign in who is here already, from now on; say so, or why not.

    They began it themselves: never because a name or an e-mail address is the same.
    """
    person = cast(User, request.user)
    account = sociallogin.account
    if not person.is_authenticated:
        return not_signed_in(request, reason="your session ended meanwhile")
    if sociallogin.is_existing and sociallogin.user != person:
        return not_connected(request, "another user here is connected with it already")
    roles = roles_by_groups(groups_of(claims))
    if settings.OIDC_GROUPS and not any(roles.values()):
        return not_connected(request, "no group of yours there opens the console")
    with transaction.atomic():
        # One after the other: of two browsers one connects.
        User.objects.select_for_update().get(pk=person.pk)
        if is_connected(person):
            return not_connected(request, "you are connected already")
        account.user = sociallogin.user = person
        account.save()
        record_about(
            request,
            "user.connected",
            person,
            to=settings.OIDC_NAME,
            name=_name_of(claims),
        )
    messages.success(
        request, f"Connected. You can sign in with {settings.OIDC_NAME} from now on."
    )
    return HttpResponseRedirect(reverse("account"))


def disconnect(request: HttpRequest) -> bool:
    """Have the provider not sign in any more who asks; tell whether it did.

    Their other sessions end: the provider may have opened them for somebody else.
    """
    person = cast(User, request.user)
    with transaction.atomic():
        rows = SocialAccount.objects.filter(provider=PROVIDER, user=person)
        gone, _ = rows.delete()
        if gone:
            end_sessions(person, but=request.session.session_key)
            record_about(request, "user.disconnected", person, of=settings.OIDC_NAME)
    return bool(gone)


def not_connected(request: HttpRequest, reason: str) -> HttpResponseRedirect:
    """Tell why nothing was connected, on the own account's page."""
    messages.warning(request, f"Nothing was connected or changed: {reason}.")
    return HttpResponseRedirect(reverse("account"))


def _refuse(request: HttpRequest, name: str, reason: str) -> NoReturn:
    raise ImmediateHttpResponse(not_signed_in(request, name=name, reason=reason))


def not_signed_in(
    request: HttpRequest, *, reason: str, name: str = ""
) -> HttpResponseRedirect:
    """Tell why nobody was signed in, in the audit and on the sign-in page.

    Who is signed in already wanted to connect.
    """
    if request.user.is_authenticated:
        return not_connected(request, reason)
    AuditEvent.record(
        action="user.sign_in_failed",
        subject=name,
        actor=nobody(request),
        detail={"by": settings.OIDC_NAME, "reason": reason},
    )
    messages.warning(
        request,
        f"You were not signed in with {settings.OIDC_NAME}: {reason}. Try again, or "
        "ask an admin.",
    )
    return HttpResponseRedirect(reverse("login"))
