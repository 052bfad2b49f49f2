"""A rule, a draft that it is about, and what was asked."""

import pytest
from django.contrib.auth.models import User

from console.access.roles import Role
from console.models import ApprovalRule, Integration
from sandbox.app import Sandbox
from tests.conftest import actor, make_user
from tests.writes.approval.helpers import CSV
from tests.writes.making import make_draft
from writes.actions import approve
from writes.models import Approval, Write


@pytest.fixture
def rule(db: None) -> ApprovalRule:
    """Everything in the sandbox environment needs another operator."""
    return ApprovalRule.objects.create(environment="sandbox")


@pytest.fixture
def bert(db: None) -> User:
    """Another operator."""
    return make_user("bert", Role.OPERATOR)


@pytest.fixture
def draft(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    return make_draft(integration, olga, csv=CSV, primary_key="external_id__c")


@pytest.fixture
def asked(rule: ApprovalRule, draft: Write, olga: User, bert: User) -> Approval:
    """What Olga asked approval for."""
    return approve.ask(draft, actor(olga), reason="T-1")
