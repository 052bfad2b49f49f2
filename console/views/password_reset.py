"""A new password for who forgot theirs: asked for here, chosen by a link."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from console import tasks
from console.access.client_address import client_address
from console.http import ConsoleRequest
from console.models import AuditEvent
from console.models.sign_in_attempt import LONGEST_NAME
from console.runtime.enqueue import enqueue_safely
from console.sign_in.audit import who_asks
from console.sign_in.second_factor import has_second_factor
from console.sign_in.throttle import Locked, forget_tries
from console.sign_in.tries import begin_try, refused, told
from console.ui.forms import StyledForm
from console.users.mailed_link import can_mail_links
from console.users.password_reset import reset_tokens
from console.views.invitation import InvitationView
from console.views.pages import posted


class ResetForm(StyledForm):
    """Who forgot a password."""

    name = forms.CharField(
        label="User name or e-mail address",
        max_length=254,
        error_messages={"required": "Enter a user name or an e-mail address."},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "autofocus": True,
            }
        ),
    )


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: ConsoleRequest) -> HttpResponse:
    """Have a link sent to whoever is named, and answer the same where that is nobody.

    Counted with the tries to sign in, by what was typed and by address.
    """
    form = ResetForm(posted(request))
    if not can_mail_links() or not form.is_valid():
        return _page(request, form)
    name = form.cleaned_data["name"]
    try:
        attempt = begin_try(request, name)
    except Locked as lock:
        return refused(_page(request, form, **told(lock)), lock)
    AuditEvent.record(
        action="user.password_reset_asked",
        subject=name[:LONGEST_NAME],
        actor=who_asks(request),
    )
    enqueue_safely(tasks.mail_reset_links, attempt.pk)
    messages.info(
        request,
        "Look into your mail. If an active account with a password has that name or "
        "address, a link is sent to its e-mail address. Nothing comes? Ask an admin.",
    )
    return redirect("login")


def _page(request: ConsoleRequest, form: ResetForm, **context: object) -> HttpResponse:
    context |= {"form": form, "can_mail_links": can_mail_links()}
    status = 422 if form.errors else 200
    return render(request, "console/password_reset.html", context, status=status)


class PasswordResetLinkView(InvitationView):
    """The page that a link leads to; its sign-in asks for a second factor as ever."""

    token_generator = reset_tokens
    action = "user.password_reset"
    is_reset = True

    def password_chosen(self, user: User) -> None:
        """Let the person sign in who was locked out by what they tried before.

        Not who has a second factor: whoever reads their mail could guess codes for
        ever.
        """
        if not has_second_factor(user):
            forget_tries(user, client_address(self.request))
