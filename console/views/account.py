"""The own account: its password, and where it is signed in."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from console.access.roles import role_in
from console.actor import Actor
from console.environments import Environment
from console.http import ConsoleRequest
from console.models import AuditEvent
from console.models.first_password import must_change_password
from console.sign_in.oidc import connect_sign, is_connected
from console.sign_in.passwords import change_own
from console.sign_in.second_factor import has_second_factor
from console.sign_in.sessions import end_other, signed_in
from console.sign_in.throttle import Locked
from console.sign_in.tries import begin_try, refused, told
from console.ui.choices import next_page
from console.ui.forms import StyledMixin
from console.users.change import end_all_sessions
from console.users.forms import NewPasswordMixin
from console.views.mail import mail_form
from console.views.pages import posted
from console.views.tokens import tokens_of


class PasswordForm(NewPasswordMixin, StyledMixin, PasswordChangeForm):
    """The current password, and twice the new one."""

    error_messages = {
        **PasswordChangeForm.error_messages,
        "password_incorrect": "This is not your current password.",  # nosec B105 # words - for a person
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {
            "old_password": "Current password",  # nosec B105 # no secret - a label
            "new_password1": "New password",
            "new_password2": "Repeat new password",
        }
        for name, label in labels.items():
            self.fields[name].label = label
        rules = " ".join(password_validators_help_texts())
        self.fields["new_password1"].help_text = rules
        self.fields["new_password2"].help_text = ""


@require_safe
def account(request: ConsoleRequest) -> HttpResponse:
    """Show the own roles, and where one is signed in."""
    context = {
        "roles": [
            (each.label, role_in(request.user, each).word) for each in Environment
        ],
        "sessions": signed_in(request.user, request.session.session_key),
        "tokens": tokens_of(request.user),
        "has_second_factor": has_second_factor(request.user),
        "provider": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "has_groups": bool(settings.OIDC_GROUPS),
        "is_connected": is_connected(request.user),
        "connect_sign": connect_sign(request.session),
        "mail_form": mail_form(request.user) if settings.SENDS_MAIL else None,
    }
    return render(request, "console/account.html", context)


@require_POST
def sign_out_everywhere(request: ConsoleRequest) -> HttpResponse:
    """End all sessions of who asks, this one too."""
    end_all_sessions(request.user, Actor.of(request))
    logout(request)
    messages.success(request, "You were signed out everywhere.")
    return redirect(settings.LOGOUT_REDIRECT_URL)


@require_POST
def sign_out_elsewhere(request: ConsoleRequest) -> HttpResponse:
    """End one other session of who asks."""
    key, name = request.session.session_key, request.POST.get("session", "")
    ended = end_other(request.user, key, name)
    if ended is None:
        messages.warning(
            request, "Nothing was changed: that session has already ended."
        )
        return redirect("account")
    AuditEvent.record(
        action="user.session_ended",
        subject=request.user.get_username(),
        actor=Actor.of(request),
        detail={"address": ended.address, "browser": ended.browser},
    )
    messages.success(request, f"You were signed out of {ended.browser}.")
    return redirect("account")


@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: ConsoleRequest) -> HttpResponse:
    """Change the own password; the old one is guessed no more often than at sign-in."""
    form = PasswordForm(request.user, posted(request))
    if request.method != "POST":
        return _password_page(request, form)
    try:
        attempt = begin_try(request, request.user.get_username())
    except Locked as lock:
        page = _password_page(request, PasswordForm(request.user), **told(lock))
        return refused(page, lock)
    is_valid = form.is_valid()
    if "old_password" in form.cleaned_data:
        # Else a known password would let somebody guess codes for ever.
        if has_second_factor(request.user):
            attempt.was_half_right()
        else:
            attempt.was_right()
    if not is_valid:
        return _password_page(request, form, status=422)
    change_own(request, request.user, form.cleaned_data["new_password1"])
    messages.success(
        request, "Your password was changed. You were signed out everywhere else."
    )
    return redirect(next_page(request) or "account")


def _password_page(
    request: ConsoleRequest, form: PasswordForm, *, status: int = 200, **more: object
) -> HttpResponse:
    context = {
        "form": form,
        "next": next_page(request),
        "is_first": must_change_password(request.user),
        **more,
    }
    return render(request, "console/password.html", context, status=status)
