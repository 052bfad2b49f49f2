"""The two pages that every kind of connection shares: a form, and a question."""

from django import forms
from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from console.http import ConsoleRequest
from console.models import Project
from console.sign_in import kept_form


def posted(request: ConsoleRequest) -> QueryDict | None:
    """Return what a form takes: the fields of a POST, None for a GET."""
    return request.POST if request.method == "POST" else None


def form_page(
    request: ConsoleRequest,
    form: forms.BaseForm,
    *,
    title: str,
    button: str,
    project: Project | None = None,
    up: tuple[str, str] | None = None,
    notice: str = "",
) -> HttpResponse:
    """Show a form; with 422 when it came back with errors.

    It belongs to `project`, or to the page `up`, of which that is name and address.
    `notice` says what somebody should know before the form is sent.
    """
    kept_form.fill(form, request)
    context = {
        "form": form,
        "title": title,
        "button": button,
        "project": project,
        "up": up,
        "notice": notice,
    }
    status = 422 if form.errors else 200
    return render(request, "console/form.html", context, status=status)


def confirm_page(
    request: ConsoleRequest,
    project: Project,
    *,
    title: str,
    text: str,
    button: str,
    blockers: list[str] | None = None,
) -> HttpResponse:
    """Ask before something is removed; with `blockers` say why it cannot be.

    The answer to a POST that was blocked is a 422.
    """
    context = {
        "project": project,
        "title": title,
        "text": text,
        "button": button,
        "blockers": blockers,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "console/confirm.html", context, status=status)
