"""The events of the audit trail in words for pages; codes stay in addresses."""

from collections.abc import Sequence

# By what they are about, in the order of the choice.
GROUPS: dict[str, dict[str, str]] = {
    "Writes": {
        "write.drafted": "Draft made",
        "write.changed": "Draft changed",
        "write.fixed": "File fixed",
        "write.discarded": "Draft discarded",
        "write.confirmed": "Write confirmed",
        "write.repeated": "Sent although the same was sent before",
        "write.paused": "Write paused",
        "write.resumed": "Write resumed",
        "write.continued": "Rest of the parts sent",
        "write.cut_short": "Rest of the parts cancelled",
        "write.gone_on": "Stopped requests sent",
        "write.rest_cancelled": "Rest of the requests cancelled",
        "write.held": "Write put on legal hold",
        "write.hold_released": "Legal hold released",
        "write.pinned": "Write pinned",
        "write.unpinned": "Write unpinned",
    },
    "Operations": {
        "operation.cancelled": "Operation cancelled",
        "operations.cancelled": "Selected operations cancelled",
        "operations.refreshed": "Selected operations refreshed",
        "operation.followed": "Operation followed",
        "operation.linked": "Unknown outcome linked",
        "operation.found_written": "Unknown outcome: written",
        "operation.found_not_written": "Unknown outcome: not written",
        "operation.sent_again": "Unknown outcome: sent again",
        "operations.imported": "Operations imported",
        "call.decided": "Request with unknown outcome resolved",
        "call.linked": "Request with unknown outcome linked",
        "rows.rejoined": "Rows matched again",
    },
    "Files and downloads": {
        "file.uploaded": "File uploaded",
        "file.downloaded": "File downloaded",
        "file.fetched": "Shared file fetched",
        "file.revoked": "Shared file revoked",
        "rows.downloaded": "Rows downloaded",
        "findings.downloaded": "Errors of a file downloaded",
        "log.downloaded": "Log downloaded",
        "operations.downloaded": "Operations downloaded",
        "report.downloaded": "Report downloaded",
        "export.started": "Export started",
        "export.made": "Export made",
        "audit.downloaded": "Audit downloaded",
        "evidence.begun": "Evidence pack begun",
        "evidence.downloaded": "Evidence pack downloaded",
        "write.files_deleted": "Files of a write deleted",
        "write.values_deleted": "Values of a write deleted",
        "files.swept": "Old drafts and files deleted",
        "log.deleted": "Log deleted after its days",
        "view.saved": "View saved",
        "view.changed": "View changed",
        "view.deleted": "View deleted",
        "mapping.saved": "Columns remembered",
        "destination.changed": "Destination renamed",
        "destination.removed": "Destination removed",
    },
    "Connections": {
        "project.created": "Project added",
        "project.changed": "Project changed",
        "project.deleted": "Project deleted",
        "project.tested": "Connection tested",
        "project.manifest_applied": "amp.yaml applied",
        "key.added": "API key added",
        "key.revoked": "API key revoked",
        "key.encrypted_anew": "API keys encrypted again",
        "integration.created": "Integration added",
        "integration.changed": "Integration changed",
        "integration.deleted": "Integration deleted",
        "group.created": "Customer added",
        "group.changed": "Customer changed",
        "group.deleted": "Customer deleted",
        "groups.fetched": "Customers refreshed",
        "fields.changed": "Fields changed",
        "fields.fetched": "Fields refreshed",
        "hook.changed": "Notifications turned on",
        "hook.deleted": "Notifications turned off",
        "webhook.changed": "Webhook saved",
        "webhook.deleted": "Webhook deleted",
        "webhook.tested": "Webhook tested",
        "breaker.opened": "Ampersand stopped responding",
        "breaker.closed": "Ampersand responds again",
    },
    "Environments": {
        "environment.frozen": "Environment frozen",
        "environment.unfrozen": "Environment unfrozen",
        "environment.changed": "Environment settings changed",
        "database.restored": "Restored back-up: sending stopped",
        "backup.made": "Back-up made",
    },
    "Sign-in": {
        "user.signed_in": "Signed in",
        "user.sign_in_failed": "Sign-in failed",
        "user.sign_in_locked": "Sign-in locked",
        "user.signed_out": "Signed out",
        "user.session_ended": "Session ended",
        "user.sessions_ended": "All sessions ended",
        "token.made": "API token made",
        "token.revoked": "API token revoked",
        "user.password_changed": "Password changed",
    },
    "Users": {
        "user.created": "User added",
        "user.changed": "User or roles changed",
        "user.password_set": "Password of a user set",
        "user.invited": "Link to choose a password sent",
        "user.deleted": "User deleted",
        "user.notices_changed": "Notices by e-mail changed",
    },
    "Audit": {
        "audit.sealed": "Audit sealed with a key",
        "audit.head_replaced": "Restored back-up accepted",
        "audit.clock_accepted": "Clock set back: accepted",
        "audit.guarded": "Triggers put back",
    },
}
WORDS = {code: words for group in GROUPS.values() for code, words in group.items()}


def in_words(action: str) -> str:
    """Return an event's action in words; a code of an earlier version as it is."""
    return WORDS.get(action, action)


def choices() -> Sequence[tuple[str, list[tuple[str, str]]]]:
    """Return the groups of the choice."""
    return [(name, list(group.items())) for name, group in GROUPS.items()]
