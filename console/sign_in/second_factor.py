"""The second factor of a sign-in: an app with codes, security keys, recovery codes.

The rows are django-allauth's (`Authenticator`), and so is what is computed. What was
tried and which codes were used is told by rows, so that all web processes know it;
allauth has it in a cache.
"""

import json
from collections.abc import Mapping
from typing import Any

from allauth.account.stages import LoginStage, LoginStageController
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt, encrypt
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from console.access.roles import Role, role_in, role_of
from console.models.session import end_sessions
from console.sign_in.audit import record_about

TYPE = Authenticator.Type
# Of a session: whose second factor was shown in it.
SHOWN = "second_factor"
# Of a sign-in that waits: a digest of the password that it began with.
OF_PASSWORD = "of_password"  # nosec B105 # noqa: S105 - the name of a place
# Of a session: the secret of an app that is not set up yet, encrypted.
NEW_SECRET = "second_factor_new"  # nosec B105 # noqa: S105 - the name of a place
# What a browser, or who pretends to be one, says instead of a key's answer.
UNREADABLE = (
    ValidationError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)
ROLES = {role.word: role for role in Role}


class SecondFactorStage(LoginStage):  # type: ignore[misc]
    """Lets those in who have none; asks the others for theirs."""

    key = "second_factor"
    urlname = "login_code"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Return the next page, if there is one, and that the sign-in goes on."""
        came_by_provider = "sociallogin" in (self.login.signal_kwargs or {})
        if came_by_provider and settings.OIDC_HAS_SECOND_FACTOR:
            note_shown(self.request.session, self.login.user)
            return None, True
        if has_second_factor(self.login.user):
            self.state[OF_PASSWORD] = self.login.user.get_session_auth_hash()
            return redirect(self.urlname), True
        return None, True


def pending(request: HttpRequest) -> Any:
    """Return the sign-in that waits for a second factor in this browser, if any.

    None once the account is closed, or has another password than it began with.
    """
    stage = LoginStageController.enter(request, SecondFactorStage.key)
    user = stage.login.user if stage else None
    if user is None or not user.is_active:
        return None
    began_with = stage.state.get(OF_PASSWORD, "")
    is_same = constant_time_compare(began_with, user.get_session_auth_hash())
    return stage if is_same else None


# --- Who needs one --------------------------------------------------------------------


def has_kind(user: User, kind: str) -> bool:
    """Whether `user` has an app (`TYPE.TOTP`), or a key (`TYPE.WEBAUTHN`)."""
    return bool(Authenticator.objects.filter(user=user, type=kind).exists())


def has_second_factor(user: User) -> bool:
    """Whether `user` has one; recovery codes alone are none."""
    rows = Authenticator.objects.filter(user=user)
    return bool(rows.exclude(type=TYPE.RECOVERY_CODES).exists())


def needs_second_factor(user: User) -> bool:
    """Whether SECOND_FACTOR_FOR names a role of `user`, or where they have one."""
    return any(
        role_of(user) >= ROLES[word] if word in ROLES else bool(role_in(user, word))
        for word in settings.SECOND_FACTOR_FOR
    )


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether one is needed and none was shown in this session."""
    user = request.user
    if not settings.SECOND_FACTOR_FOR or not user.is_authenticated:
        return False
    return request.session.get(SHOWN) != user.pk and needs_second_factor(user)


def note_shown(session: SessionBase, user: User) -> None:
    """Note that the second factor of `user` was shown in a session."""
    session[SHOWN] = user.pk


# --- Setting one up -------------------------------------------------------------------


def new_secret(session: SessionBase) -> str:
    """Return the secret of the app that is set up in a session, in base 32."""
    if NEW_SECRET not in session:
        session[NEW_SECRET] = encrypt(generate_totp_secret())
    secret: str = decrypt(session[NEW_SECRET])
    return secret


@transaction.atomic
def add_app(request: HttpRequest, user: User, code: str) -> list[str] | None:
    """Take the app whose first code this is; return new recovery codes.

    None, with nothing changed, where the code is wrong, or there is an app already.
    Sessions elsewhere end: they were opened without it.
    """
    secret = new_secret(request.session)
    counter = _counter_of(secret, code)
    User.objects.select_for_update().get(pk=user.pk)
    rows = Authenticator.objects.filter(user=user, type=TYPE.TOTP)
    if counter is None or rows.exists():
        return None
    data = {"secret": encrypt(secret), "last_counter": counter}
    Authenticator.objects.create(user=user, type=TYPE.TOTP, data=data)
    return _added(request, user, "app")


def new_key_options(user: User) -> str:
    """Return what a browser needs to make a credential of a security key, as JSON."""
    return json.dumps(_plain(webauthn.begin_registration(user, passwordless=False)))


@transaction.atomic
def add_key(
    request: HttpRequest, user: User, name: str, credential: str
) -> list[str] | None:
    """Take a security key with what it said to the browser; return new recovery codes.

    No codes where there are some already; None, with nothing changed, where it said
    something else than it was asked.
    """
    try:
        given = json.loads(credential)
        webauthn.parse_registration_response(given)
        webauthn.complete_registration(given)
    except UNREADABLE:
        return None
    User.objects.select_for_update().get(pk=user.pk)
    webauthn.WebAuthn.add(user, name, given)
    return _added(request, user, "security key")


def _plain(value: Any) -> Any:
    """Return mappings and lists of any kind as JSON has them."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _added(request: HttpRequest, user: User, kind: str) -> list[str]:
    """Do what follows on a new second factor; return recovery codes, if new ones."""
    request.session.pop(NEW_SECRET, None)
    note_shown(request.session, user)
    end_sessions(user, but=request.session.session_key)
    record_about(request, "user.second_factor_added", user, kind=kind)
    if has_kind(user, TYPE.RECOVERY_CODES):
        return []
    return make_recovery_codes(request, user)


@transaction.atomic
def make_recovery_codes(request: HttpRequest, user: User) -> list[str]:
    """Return new recovery codes; those from before open nothing any more."""
    User.objects.select_for_update().get(pk=user.pk)
    Authenticator.objects.filter(user=user, type=TYPE.RECOVERY_CODES).delete()
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    record_about(request, "user.recovery_codes_made", user, count=len(codes))
    return codes


@transaction.atomic
def remove_second_factor(
    request: HttpRequest, user: User, only: int | None = None
) -> bool:
    """Take all second factors of `user` away, or the one of the row `only`.

    The recovery codes go with the last one. False, with nothing changed, where there
    was nothing to take away.
    """
    rows = Authenticator.objects.filter(user=user).exclude(type=TYPE.RECOVERY_CODES)
    gone = rows if only is None else rows.filter(pk=only)
    kinds = sorted(gone.values_list("type", flat=True))
    if not kinds:
        return False
    gone.delete()
    if not has_second_factor(user):
        Authenticator.objects.filter(user=user).delete()
        if request.user == user:
            request.session.pop(SHOWN, None)
    record_about(request, "user.second_factor_removed", user, kinds=kinds)
    return True


# --- Showing it -----------------------------------------------------------------------


def use_code(request: HttpRequest, user: User, code: str) -> bool:
    """Take a code of the app, or a recovery code: each of them once.

    What is wrong is recorded as well. Whoever calls it counts the tries.
    """
    with transaction.atomic():
        kind = _kind_of(user, code)
        _tell(request, user, kind)
    return bool(kind)


def key_options(user: User) -> str:
    """Return what a browser needs to ask a security key, as JSON; "" without a key."""
    if not has_kind(user, TYPE.WEBAUTHN):
        return ""
    return json.dumps(_plain(webauthn.begin_authentication(user)))


def use_key(request: HttpRequest, user: User, credential: str) -> bool:
    """Take what a security key said to the browser; the same as `use_code`."""
    with transaction.atomic():
        try:
            given = json.loads(credential)
            webauthn.parse_authentication_response(given)
            webauthn.complete_authentication(user, given).record_usage()
        except UNREADABLE:
            kind = ""
        else:
            kind = "security key"
        _tell(request, user, kind)
    return bool(kind)


def _tell(request: HttpRequest, user: User, kind: str) -> None:
    if not kind:
        record_about(request, "user.second_factor_failed", user)
        return
    left = len(codes_left(user))
    record_about(request, "user.second_factor_used", user, kind=kind, codes_left=left)


def codes_left(user: User) -> list[str]:
    """Return the recovery codes of `user` that were not used."""
    row = Authenticator.objects.filter(user=user, type=TYPE.RECOVERY_CODES).first()
    return list(RecoveryCodes(row).get_unused_codes()) if row else []


def _kind_of(user: User, code: str) -> str:
    """Use `code` up, and return of which kind it is; "" where it is wrong."""
    # One try after the other: of two with the same code the second is too late.
    rows = Authenticator.objects.select_for_update().filter(user=user)
    for row in rows.filter(type=TYPE.TOTP):
        counter = _counter_of(decrypt(row.data["secret"]), code)
        if counter is not None and counter > row.data["last_counter"]:
            row.data["last_counter"] = counter
            row.record_usage()
            row.save(update_fields=["data"])
            return "app"
    for row in rows.filter(type=TYPE.RECOVERY_CODES):
        if RecoveryCodes(row).validate_code(code):
            return "recovery code"
    return ""


def _counter_of(secret: str, code: str) -> int | None:
    """Return the number of the half minute that a code of an app is of, if any."""
    for counter in yield_hotp_counters_from_time():
        expected = format_hotp_value(hotp_value(secret, counter))
        if compare_user_code(actual=code, expected=expected):
            return int(counter)
    return None
