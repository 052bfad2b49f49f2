"""API tokens of the own account; a page of users has those of others."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.access.roles import require_viewer
from console.actor import Actor
from console.api.tokens import MOST, TooManyTokens, make_token, revoke_token
from console.http import ConsoleRequest
from console.models.api_token import Scope
from console.sign_in import kept_form
from console.ui.forms import StyledForm
from console.validators import whole_number
from console.views.pages import posted

GONE = "Nothing was changed: that token was revoked already."


class TokenForm(StyledForm):
    """What a new token is for, what it may read, and for how long."""

    name = forms.CharField(
        max_length=100, help_text="What uses it, for example “Warehouse”."
    )
    scopes = forms.MultipleChoiceField(
        label="May read",
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
        error_messages={"required": "Choose at least one."},
    )
    days = forms.TypedChoiceField(
        label="Expires",
        choices=[
            (30, "In 30 days"),
            (90, "In 90 days"),
            (365, "In a year"),
            (0, "Never"),
        ],
        coerce=int,
        initial=90,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require_viewer
def token_new(request: ConsoleRequest) -> HttpResponse:
    """Make a token of who asks; shows it, once."""
    form = TokenForm(posted(request))
    if form.is_valid():
        given = form.cleaned_data
        days = given["days"]
        try:
            text = make_token(
                request.user,
                name=given["name"],
                scopes=given["scopes"],
                expires_at=timezone.now() + timedelta(days=days) if days else None,
                actor=Actor.of(request),
            )
        except TooManyTokens:
            form.add_error(
                None,
                f"Nothing was made: you have {MOST} tokens, which is the most. Revoke "
                "one that nothing uses any more.",
            )
        else:
            context = {"name": given["name"], "token": text}
            return render(request, "console/token_made.html", context)
    kept_form.fill(form, request)
    status = 422 if form.errors else 200
    return render(request, "console/token_new.html", {"form": form}, status=status)


@require_POST
def token_revoke(request: ConsoleRequest) -> HttpResponse:
    """Revoke one of the own tokens."""
    revoke(request, request.user)
    return redirect("account")


def tokens_of(person: User) -> list[dict[str, Any]]:
    """Return the tokens of a person for a table, newest first."""
    now = timezone.now()
    return [
        {
            "token": token,
            "has_expired": token.expires_at is not None and token.expires_at <= now,
        }
        for token in person.api_tokens.order_by("-pk")
    ]


def revoke(request: ConsoleRequest, person: User) -> None:
    """Revoke the token of `person` that was posted, and say whether it was there."""
    number = whole_number(request.POST.get("token", ""))
    token = person.api_tokens.filter(pk=number).first() if number else None
    if token is None or not revoke_token(token, Actor.of(request)):
        messages.warning(request, GONE)
        return
    messages.success(request, f"{token.name} is revoked: it opens nothing any more.")
