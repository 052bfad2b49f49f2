"""The three environments: freeze one, let it go on, have every write give a reason."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from console import freeze
from console.access.roles import (
    Role,
    environments_for,
    need_role,
    require_admin,
    require_operator,
    require_viewer,
    role_in,
)
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import ApprovalRule, EnvironmentControl
from console.sign_in.identity_check import need_identity
from console.ui.forms import StyledForm


class FreezeForm(StyledForm):
    """Why nothing is to be sent: everybody will read it on every page."""

    reason = forms.CharField(
        label="Reason",
        max_length=200,
        help_text="Shown to everybody on every page during the freeze.",
        error_messages={
            "required": "Nothing was frozen: give a reason for the freeze."
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@require_safe
@require_viewer
def environments(request: ConsoleRequest) -> HttpResponse:
    """Each environment of the reader's, with its state and what may be changed."""
    return _page(request)


def _page(
    request: ConsoleRequest, faulty: dict[str, FreezeForm] | None = None
) -> HttpResponse:
    """Show all; `faulty` is the form that came back, by its environment."""
    shown = []
    for word in environments_for(request.user, Role.VIEWER):
        role = role_in(request.user, word)
        shown.append(
            {
                "control": EnvironmentControl.objects.of(word),
                "rules": ApprovalRule.objects.of(word),
                "form": (faulty or {}).get(word) or _form(word),
                "may_freeze": role >= Role.OPERATOR,
                "may_manage": role >= Role.ADMIN,
            }
        )
    status = 422 if faulty else 200
    context = {"environments": shown}
    return render(request, "console/environments.html", context, status=status)


def _form(word: str, request: ConsoleRequest | None = None) -> FreezeForm:
    return FreezeForm(request.POST if request else None, auto_id=f"id_{word}_%s")


def _find(request: ConsoleRequest, word: str, role: Role) -> EnvironmentControl:
    need_role(request, role, word)
    return EnvironmentControl.objects.of(word)


@require_POST
@require_operator
def environment_freeze(request: ConsoleRequest, environment: str) -> HttpResponse:
    """Stop all sending there: who may send may also stop it."""
    control = _find(request, environment, Role.OPERATOR)
    need_identity(request, "freeze")
    form = _form(environment, request)
    if not form.is_valid():
        return _page(request, {environment: form})
    reason = form.cleaned_data["reason"]
    if freeze.freeze(control, Actor.of(request), reason=reason):
        messages.success(
            request, f"{control} is frozen. What was already sent finishes."
        )
    else:
        messages.warning(request, f"{control} was already frozen; nothing was changed.")
    return redirect("connections:environments")


@require_POST
@require_admin
def environment_unfreeze(request: ConsoleRequest, environment: str) -> HttpResponse:
    """Let go what waits there."""
    control = _find(request, environment, Role.ADMIN)
    need_identity(request, "freeze")
    if freeze.unfreeze(control, Actor.of(request)):
        messages.success(
            request, f"{control} is no longer frozen; waiting writes are sent now."
        )
    else:
        messages.warning(request, f"{control} was not frozen; nothing was changed.")
    return redirect("connections:environments")


@require_POST
@require_admin
def environment_reasons(request: ConsoleRequest, environment: str) -> HttpResponse:
    """Have every write there give a reason, or leave that to people."""
    control = _find(request, environment, Role.ADMIN)
    wanted = request.POST.get("needs_reason") == "yes"
    if freeze.require_reasons(control, Actor.of(request), wanted):
        words = "now needs a reason" if wanted else "can be confirmed without a reason"
        messages.success(request, f"Every write to {control} {words}.")
    else:
        messages.warning(
            request, "This setting was already in place; nothing was changed."
        )
    return redirect("connections:environments")
