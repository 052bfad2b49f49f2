"""The second factor of the own account: setting it up, new codes, taking it away."""

from base64 import b64encode

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from console.http import ConsoleRequest
from console.models.session import end_sessions
from console.sign_in.identity_check import need_identity
from console.sign_in.second_factor import (
    TYPE,
    add_app,
    add_key,
    codes_left,
    has_kind,
    has_second_factor,
    make_recovery_codes,
    needs_second_factor,
    new_key_options,
    new_secret,
    remove_second_factor,
)
from console.sign_in.throttle import Locked
from console.sign_in.tries import begin_try, refused, told
from console.ui.choices import next_page
from console.ui.forms import StyledForm
from console.validators import whole_number
from console.views.lookup import find_person
from console.views.pages import posted

NONE = "Nothing was changed: there is no second factor."


class AppForm(StyledForm):
    """The first code of an app, which shows that it has the key."""

    code = forms.CharField(
        max_length=40,
        help_text="The six digits that the app shows now.",
        error_messages={"required": "Enter the code that the app shows."},
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
    )


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: ConsoleRequest) -> HttpResponse:
    """Show the own second factor, or set one up: a POST has the first code."""
    wants_app = "app" in request.GET and not has_kind(request.user, TYPE.TOTP)
    if has_second_factor(request.user) and not wants_app:
        return _state_page(request)
    need_identity(request)
    form = AppForm(posted(request))
    if request.method != "POST" or not form.is_valid():
        return _set_up_page(request, form)
    try:
        attempt = begin_try(request, request.user.get_username())
    except Locked as lock:
        return refused(_set_up_page(request, AppForm(), **told(lock)), lock)
    codes = add_app(request, request.user, form.cleaned_data["code"])
    if codes is None:
        form.add_error(
            "code",
            forms.ValidationError(
                "This is not the code of the key above. Is the clock of your device "
                "right?",
                code="code_wrong",
            ),
        )
        return _set_up_page(request, form)
    attempt.was_right()
    return _added(request, codes)


class KeyForm(StyledForm):
    """What a security key said to the browser, and what its owner calls it."""

    name = forms.CharField(
        max_length=60,
        initial="Security key",
        help_text="To tell it from others, for example “Blue key”.",
    )
    credential = forms.CharField(
        max_length=20_000, required=False, widget=forms.HiddenInput
    )


@require_http_methods(["GET", "HEAD", "POST"])
def security_key(request: ConsoleRequest) -> HttpResponse:
    """Add a security key, or a passkey: a POST has what it said to the browser."""
    need_identity(request)
    form = KeyForm(posted(request))
    if form.is_valid():
        given = form.cleaned_data
        codes = add_key(request, request.user, given["name"], given["credential"])
        if codes is not None:
            return _added(request, codes)
        form.add_error(
            None,
            forms.ValidationError(
                "Nothing was added: the key did not answer. Try again.",
                code="key_wrong",
            ),
        )
    context = {
        "form": form,
        "options": new_key_options(request.user),
        "is_needed": needs_second_factor(request.user),
        "next": next_page(request),
    }
    status = 422 if form.errors else 200
    return render(request, "console/security_key.html", context, status=status)


@require_POST
def recovery_codes(request: ConsoleRequest) -> HttpResponse:
    """Make new recovery codes, and show them: this once."""
    if not has_second_factor(request.user):
        messages.warning(request, NONE)
        return redirect("second_factor")
    need_identity(request)
    return _codes_page(request, make_recovery_codes(request, request.user))


@require_POST
def second_factor_remove(request: ConsoleRequest) -> HttpResponse:
    """Take one of the own second factors away; recovery codes go with the last."""
    need_identity(request)
    number = whole_number(request.POST.get("factor", ""))
    if number is None or not remove_second_factor(request, request.user, number):
        messages.warning(request, NONE)
    elif has_second_factor(request.user):
        messages.success(request, "It was removed: the others are still asked for.")
    elif needs_second_factor(request.user):
        messages.success(request, "It was removed. You need one: set up another.")
    else:
        messages.success(request, "It was removed: your password alone signs you in.")
    return redirect("second_factor")


@require_POST
def user_second_factor_remove(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Take somebody's second factor away who lost it; they are signed out."""
    person = find_person(request, pk)
    if remove_second_factor(request, person):
        end_sessions(person)
        messages.success(
            request, f"{person} has no second factor any more, and is signed out."
        )
    else:
        messages.warning(request, NONE)
    return redirect("users:detail", pk)


def _state_page(request: ConsoleRequest) -> HttpResponse:
    rows = Authenticator.objects.filter(user=request.user)
    context = {
        "factors": rows.exclude(type=TYPE.RECOVERY_CODES).order_by("pk"),
        "has_app": has_kind(request.user, TYPE.TOTP),
        "codes_left": len(codes_left(request.user)),
        "is_needed": needs_second_factor(request.user),
    }
    return render(request, "console/second_factor.html", context)


def _set_up_page(
    request: ConsoleRequest, form: AppForm, **context: object
) -> HttpResponse:
    secret = new_secret(request.session)
    adapter = get_adapter()
    address = adapter.build_totp_url(request.user, secret)
    picture = b64encode(adapter.build_totp_svg(address).encode()).decode()
    context |= {
        "form": form,
        "picture": f"data:image/svg+xml;base64,{picture}",
        # In groups of four, as people read it aloud.
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "is_needed": needs_second_factor(request.user),
        "next": next_page(request),
    }
    status = 422 if form.errors else 200
    return render(request, "console/second_factor_new.html", context, status=status)


def _added(request: ConsoleRequest, codes: list[str]) -> HttpResponse:
    if codes:
        return _codes_page(request, codes, is_new=True)
    messages.success(request, "It was added.")
    return redirect("second_factor")


def _codes_page(
    request: ConsoleRequest, codes: list[str], *, is_new: bool = False
) -> HttpResponse:
    request.first_step = ""  # type: ignore[attr-defined]
    shown = [f"{code[:4]} {code[4:]}" for code in codes]
    context = {"codes": shown, "is_new": is_new, "next": next_page(request)}
    return render(request, "console/recovery_codes.html", context)
