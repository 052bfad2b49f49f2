"""Who is it? Asked again before what does most harm, and then led back."""

from django import forms
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from console.http import ConsoleRequest
from console.sign_in.audit import record_about
from console.sign_in.identity_check import note_checked
from console.sign_in.second_factor import has_second_factor, key_options, note_shown
from console.sign_in.throttle import Locked
from console.sign_in.tries import begin_try, refused, told
from console.ui.choices import next_page
from console.ui.forms import StyledForm
from console.views.login import CodeForm
from console.views.pages import posted


class PasswordForm(StyledForm):
    """The password of who is signed in."""

    password = forms.CharField(
        strip=False,
        error_messages={"required": "Enter your password."},
        widget=forms.PasswordInput(
            attrs={"autocomplete": "current-password", "autofocus": True}
        ),
    )

    def shows(self, request: ConsoleRequest, person: User) -> bool:
        """Tell whether it is that of `person`."""
        if person.check_password(self.cleaned_data["password"]):
            return True
        wrong = "This is not your password."
        self.add_error("password", forms.ValidationError(wrong, code="password_wrong"))
        return False


@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def identity_check(request: ConsoleRequest) -> HttpResponse:
    """Ask for the second factor of who is signed in, or for their password."""
    person = request.user
    kind = CodeForm if has_second_factor(person) else PasswordForm
    form = kind(posted(request))
    if request.method != "POST":
        return _page(request, form)
    try:
        attempt = begin_try(request, person.get_username())
    except Locked as lock:
        return refused(_page(request, kind(), **told(lock)), lock)
    if not form.is_valid():
        attempt.was_half_right()
        return _page(request, form)
    if not form.shows(request, person):
        record_about(request, "user.identity_check_failed", person)
        return _page(request, form)
    attempt.was_right()
    if isinstance(form, CodeForm):
        note_shown(request.session, person)
    note_checked(request.session)
    record_about(request, "user.identity_checked", person)
    return redirect(next_page(request) or "home")


def _page(
    request: ConsoleRequest, form: CodeForm | PasswordForm, **context: object
) -> HttpResponse:
    context |= {"form": form, "next": next_page(request)}
    context["key_options"] = key_options(request.user)
    # A person of another sign-in has none, and signs in anew.
    context["can_show"] = "code" in form.fields or request.user.has_usable_password()
    status = 422 if form.errors else 200
    return render(request, "console/identity_check.html", context, status=status)
