"""What an administrator configures, and what the console notes about itself.

ApiKey N-1 Project 1-N Integration 1-N WriteObject
                               Integration 1-N Group
Hook: where Ampersand may tell a project something; HookMessage: what it told of late.
Webhook: where notices of a project go. MailWish: who wants which by e-mail.
Grant: what a person may do in an environment.
SignInAttempt: what was tried wrongly of late. Session: where somebody is signed in.
FirstPassword: whose password somebody else chose.
ApiToken: by which a program reads what a person may see.
AuditEvent stands alone: it outlives everything it names.
EnvironmentControl: what holds for an environment. ApprovalRule: which of its writes
need another person.
Heartbeat: which processes are alive. Pulse: when the database was last in use.
"""

from console.models.api_token import ApiToken
from console.models.approval_rule import ApprovalRule
from console.models.audit_event import AuditEvent, AuditEventQuerySet
from console.models.environment_control import (
    EnvironmentControl,
    EnvironmentControlQuerySet,
)
from console.models.first_password import FirstPassword
from console.models.grant import Grant
from console.models.heartbeat import Heartbeat
from console.models.hook import Hook, HookMessage
from console.models.integration import Group, Integration, ObjectMetadata, WriteObject
from console.models.mail_wish import MailWish
from console.models.project import ApiKey, NoActiveKey, Project
from console.models.pulse import Pulse
from console.models.session import Session
from console.models.sign_in_attempt import SignInAttempt
from console.models.webhook import Webhook

__all__ = [
    "ApiKey",
    "ApiToken",
    "ApprovalRule",
    "AuditEvent",
    "AuditEventQuerySet",
    "EnvironmentControl",
    "EnvironmentControlQuerySet",
    "FirstPassword",
    "Grant",
    "Group",
    "Heartbeat",
    "Hook",
    "HookMessage",
    "Integration",
    "MailWish",
    "NoActiveKey",
    "ObjectMetadata",
    "Project",
    "Pulse",
    "Session",
    "SignInAttempt",
    "Webhook",
    "WriteObject",
]
