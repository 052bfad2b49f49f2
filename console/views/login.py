"""Signing in: Django's own page, but not as often as somebody likes.

A person with a second factor is asked for it next: `login_code`.
"""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from console.http import ConsoleRequest
from console.sign_in.second_factor import (
    key_options,
    note_shown,
    pending,
    use_code,
    use_key,
)
from console.sign_in.throttle import Locked
from console.sign_in.tries import begin_try, refused, told
from console.ui.forms import StyledForm
from console.users.mailed_link import can_mail_links
from console.views.pages import posted


class LoginView(auth_views.LoginView):
    """Ask for name and password; 429 when these were wrong too often."""

    template_name = "console/login.html"
    redirect_authenticated_user = True
    # Of this request: one before it may have left a sign-in that waits for a code.
    password_was_right = False

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Look at the password, unless there were too many tries."""
        name = request.POST.get("username", "")
        try:
            attempt = begin_try(request, name)
        except Locked as lock:
            return self._refuse(lock, name)
        response = super().post(request, *args, **kwargs)
        if request.user.is_authenticated:
            attempt.was_right()
        elif self.password_was_right:
            attempt.was_half_right()
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        by_provider = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        kwargs |= {"by_provider": by_provider, "can_mail_links": can_mail_links()}
        return super().get_context_data(**kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in who the password belongs to, or ask for their second factor."""
        self.password_was_right = True
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_success_url())
        answer: HttpResponse = perform_password_login(self.request, {}, login)
        return answer

    def _refuse(self, lock: Locked, name: str) -> HttpResponse:
        context = self.get_context_data(
            form=self.get_form_class()(self.request, initial={"username": name}),
            **told(lock),
        )
        return refused(self.render_to_response(context), lock)


class CodeForm(StyledForm):
    """A code of the app, or a recovery code; or what a security key said."""

    code = forms.CharField(
        max_length=40,
        required=False,
        help_text="From your authenticator app, or one of your recovery codes.",
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True}
        ),
    )

    credential = forms.CharField(
        max_length=20_000, required=False, widget=forms.HiddenInput
    )

    def clean(self) -> dict[str, Any]:
        """Refuse what has neither."""
        given = super().clean() or self.cleaned_data
        if not given.get("code") and not given.get("credential"):
            self._refuse("Enter a code.", "required")
        return given

    def shows(self, request: HttpRequest, person: User) -> bool:
        """Tell whether it is a second factor of `person`, which it uses up."""
        if credential := self.cleaned_data["credential"]:
            if use_key(request, person, credential):
                return True
            self._refuse(
                "The key did not say what it was asked. Try again.", "key_wrong"
            )
        elif use_code(request, person, self.cleaned_data["code"]):
            return True
        else:
            self._refuse(
                "This code is not right, or was used already. Wait for the next one of "
                "your app.",
                "code_wrong",
            )
        return False

    def _refuse(self, words: str, code: str) -> None:
        self.add_error("code", forms.ValidationError(words, code=code))


@login_not_required
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def login_code(request: ConsoleRequest) -> HttpResponse:
    """Ask for the second factor of who gave the right password, and sign them in."""
    stage = pending(request)
    if stage is None:
        if not request.user.is_authenticated:
            messages.info(request, "Sign in with your password first.")
        return redirect("login")
    person = stage.login.user
    form = CodeForm(posted(request))
    if request.method != "POST":
        return _code_page(request, person, form)
    try:
        attempt = begin_try(request, person.get_username())
    except Locked as lock:
        page = _code_page(request, person, CodeForm(), **told(lock))
        return refused(page, lock)
    if not form.is_valid():
        attempt.was_half_right()
        return _code_page(request, person, form)
    if not form.shows(request, person):
        return _code_page(request, person, form)
    attempt.was_right()
    note_shown(request.session, person)
    answer: HttpResponse = stage.exit()
    return answer


def _code_page(
    request: ConsoleRequest, person: User, form: CodeForm, **context: object
) -> HttpResponse:
    status = 422 if form.errors else 200
    context["form"] = form
    context["key_options"] = key_options(person)
    return render(request, "console/login_code.html", context, status=status)
