"""The webhook of a project: giving one, trying it, taking it away."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from ampersand.posting import PostFailed
from console.access.roles import Role, require_admin
from console.actor import Actor
from console.connections.forms import WebhookForm
from console.connections.save import record
from console.connections.webhooks import give, take_away, tell
from console.http import ConsoleRequest
from console.models import Webhook
from console.views.lookup import find_project
from console.views.pages import confirm_page, form_page, posted

# A person waits for it, and a thread of the web server with them.
TEST_SECONDS = 5.0


@sensitive_post_parameters("address")
@never_cache
@require_http_methods(["GET", "POST"])
@require_admin
def webhook(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Have notices of a project posted to an address; shows the secret, once."""
    project = find_project(request, pk, Role.ADMIN)
    form = WebhookForm(posted(request))
    if form.is_valid():
        address = form.cleaned_data["address"]
        secret = give(project, address, Actor.of(request))
        context = {"project": project, "secret": secret.reveal()}
        return render(request, "console/webhook_secret.html", context)
    return form_page(
        request,
        form,
        title=f"Webhook of {project}",
        button="Save webhook",
        project=project,
        notice="It is told when a write has ended, when an outcome is unknown and when "
        "something waits for a decision: with counts, and never with values, keys or "
        "files. Saving makes a new signing secret, which is shown once.",
    )


@require_http_methods(["GET", "POST"])
@require_admin
def webhook_stop(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Ask, then post nothing more of a project."""
    project = find_project(request, pk, Role.ADMIN)
    if request.method == "POST":
        take_away(project, Actor.of(request))
        messages.success(request, "The webhook is deleted.")
        return redirect(project)
    return confirm_page(
        request,
        project,
        title=f"Delete the webhook of {project}?",
        text="Its address and signing secret are deleted here, and what was not posted "
        "yet is not posted any more.",
        button="Delete webhook",
    )


@require_POST
@require_admin
def webhook_test(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Post a message that is about nothing, and say whether it was taken."""
    project = find_project(request, pk, Role.ADMIN)
    webhook = Webhook.objects.filter(project=project).defer("address", "secret").first()
    if webhook is None:
        messages.warning(request, "Nothing was sent: there is no webhook.")
        return redirect(project)
    now = timezone.now()
    message_id = uuid.uuid4()
    message = {
        "text": "A test from Write Console: notices of a project come here.",
        "id": str(message_id),
        "event": "test",
        "at": now.isoformat(),
    }
    try:
        tell(webhook, message, message_id, now=now, seconds=TEST_SECONDS)
    except PostFailed as error:
        messages.error(request, f"The test was not taken. {error}")
        result = str(error)
    else:
        # What waits need not wait for the next try.
        Webhook.objects.filter(pk=webhook.pk).update(
            told_at=now, failures=0, problem="", try_at=None
        )
        messages.success(request, "The test was taken.")
        result = "taken"
    record("webhook.tested", project, Actor.of(request), {"result": result})
    return redirect(project)
