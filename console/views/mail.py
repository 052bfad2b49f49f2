"""Which notices a person wants by e-mail."""

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.actor import Actor
from console.http import ConsoleRequest
from console.models import AuditEvent, MailWish, Project
from console.ui.forms import StyledForm, offer


class MailForm(StyledForm):
    """Of which writes: those that concern the person, and all of some projects."""

    own = forms.BooleanField(
        label="Writes that I confirm or may approve", required=False
    )
    projects = forms.ModelMultipleChoiceField(
        label="All writes of",
        queryset=Project.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )


def mail_form(person: User, data: object = None) -> MailForm:
    """Return the form with what `person` wants now, or with what they sent."""
    wishes = MailWish.objects.filter(person=person)
    wanted = list(wishes.values_list("project", flat=True))
    initial = {"own": None in wanted, "projects": [pk for pk in wanted if pk]}
    form = MailForm(data, initial=initial)
    offer(form, "projects", Project.objects.visible_to(person))
    return form


@require_POST
def mail(request: ConsoleRequest) -> HttpResponse:
    """Keep which notices who asks wants by e-mail."""
    form = mail_form(request.user, request.POST)
    if not form.is_valid():
        messages.warning(request, "Nothing was changed: there is no such project.")
        return redirect("account")
    own = [None] if form.cleaned_data["own"] else []
    _keep(request, [*own, *form.cleaned_data["projects"]])
    messages.success(request, "Saved.")
    return redirect("account")


def _keep(request: ConsoleRequest, wanted: list[Project | None]) -> None:
    person = request.user
    with transaction.atomic():
        # Of two tabs at the same moment the second waits for the first.
        User.objects.select_for_update().get(pk=person.pk)
        before = _named(person)
        MailWish.objects.filter(person=person).delete()
        MailWish.objects.bulk_create(
            MailWish(person=person, project=project) for project in wanted
        )
        AuditEvent.record(
            action="user.notices_changed",
            subject=person.get_username(),
            actor=Actor.of(request),
            detail={"writes": [before, _named(person)]},
        )


def _named(person: User) -> str:
    """Say of which writes a person is told, for the audit trail."""
    wishes = MailWish.objects.filter(person=person).order_by("project")
    names = wishes.values_list("project__name", flat=True)
    return ", ".join(sorted(name or "own" for name in names)) or "none"
