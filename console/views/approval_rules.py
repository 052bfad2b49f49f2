"""The rules of an environment by which a write needs another person's approval."""

from typing import Any, ClassVar

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from console.access.roles import Role, need_role, require_admin
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import ApprovalRule, AuditEvent, EnvironmentControl
from console.sign_in.identity_check import need_identity
from console.ui.forms import StyledModelForm
from console.views.pages import form_page, posted


class ApprovalRuleForm(StyledModelForm):
    """What a rule is about; what is left empty is about everything."""

    class Meta:
        model = ApprovalRule
        fields = ["action", "object_name", "more_than", "approved_by"]
        labels = {"action": "Writes", "approved_by": "Approved by"}
        help_texts = {
            "action": "“Creates” and “Updates” include upserts, which can do either.",
            "object_name": "For example contact. If empty, the rule is about all.",
            "more_than": "0 for any number. A file at a URL, whose rows the console "
            "does not count, counts as more.",
            "approved_by": "Never who asked for it or changed the draft.",
        }
        error_messages: ClassVar = {
            "more_than": {"min_value": "A number of rows is 0 or more."}
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["more_than"].required = False

    def clean_more_than(self) -> int:
        """Take an empty field as 0."""
        return self.cleaned_data["more_than"] or 0

    def clean_object_name(self) -> str:
        """Compare names as Salesforce does: without case."""
        name: str = self.cleaned_data["object_name"]
        return name.strip().casefold()

    def _get_validation_exclusions(self) -> set[str]:
        # The environment is no field, but part of what there is once.
        return super()._get_validation_exclusions() - {"environment"}  # type: ignore[no-any-return,misc]


@require_http_methods(["GET", "POST"])
@require_admin
def approval_rule_new(request: ConsoleRequest, environment: str) -> HttpResponse:
    """Add a rule; it holds for what is confirmed from then on."""
    need_role(request, Role.ADMIN, environment)
    need_identity(request, "roles")
    control = EnvironmentControl.objects.of(environment)
    rule = ApprovalRule(environment=environment)
    form = ApprovalRuleForm(posted(request), instance=rule)
    if form.is_valid():
        with transaction.atomic():
            form.save()
            _audit("approval_rule.added", rule, Actor.of(request))
        messages.success(request, f"Rule of {control} added: {rule}.")
        return redirect("connections:environments")
    notice = (
        "The rule holds for what is confirmed from now on. What is queued already goes "
        "on: freeze the environment, or pause a write, to stop it."
    )
    return form_page(
        request,
        form,
        title=f"New approval rule of {control}",
        button="Add rule",
        up=("Environments", reverse("connections:environments")),
        notice=notice,
    )


@require_POST
@require_admin
def approval_rule_delete(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Remove a rule; what waits for approval by it can be sent without, once asked."""
    rules = ApprovalRule.objects.visible_to(request.user)
    rule = get_object_or_404(rules, pk=pk)
    need_role(request, Role.ADMIN, rule.environment)
    need_identity(request, "roles")
    with transaction.atomic():
        _audit("approval_rule.removed", rule, Actor.of(request))
        rule.delete()
    messages.success(request, f"Rule removed: {rule}.")
    return redirect("connections:environments")


def _audit(action: str, rule: ApprovalRule, actor: Actor) -> None:
    control = EnvironmentControl.objects.of(rule.environment)
    AuditEvent.record(
        action=action,
        subject=f"{control}: {rule}",
        about=control,
        actor=actor,
        environment=rule.environment,
        detail={
            "action": rule.action,
            "object": rule.object_name,
            "more_than": rule.more_than,
            "approved_by": rule.approved_by,
        },
    )
