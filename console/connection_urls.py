"""Addresses under /connections/."""

from django.urls import include, path

from console.views import (
    approval_rules,
    environments,
    fields,
    groups,
    integrations,
    keys,
    manifest,
    projects,
    webhooks,
)

app_name = "connections"

of_project = [
    path("", projects.project, name="project"),
    path("edit/", projects.project_edit, name="project_edit"),
    path("delete/", projects.project_delete, name="project_delete"),
    path("test/", projects.project_test, name="project_test"),
    path("keys/new/", keys.key_new, name="key_new"),
    path("notifications/", keys.hook, name="hook"),
    path("notifications/stop/", keys.hook_stop, name="hook_stop"),
    path("webhook/", webhooks.webhook, name="webhook"),
    path("webhook/stop/", webhooks.webhook_stop, name="webhook_stop"),
    path("webhook/test/", webhooks.webhook_test, name="webhook_test"),
    path("integrations/new/", integrations.integration_new, name="integration_new"),
    path("manifest/", manifest.manifest, name="manifest"),
    path("manifest/apply/", manifest.manifest_apply, name="manifest_apply"),
]

of_integration = [
    path("edit/", integrations.integration_edit, name="integration_edit"),
    path("delete/", integrations.integration_delete, name="integration_delete"),
    path("groups/new/", groups.group_new, name="group_new"),
    path("groups/fetch/", groups.groups_fetch, name="groups_fetch"),
]

of_environment = [
    path("freeze/", environments.environment_freeze, name="environment_freeze"),
    path("unfreeze/", environments.environment_unfreeze, name="environment_unfreeze"),
    path("reasons/", environments.environment_reasons, name="environment_reasons"),
    path("approval/new/", approval_rules.approval_rule_new, name="approval_rule_new"),
]

of_object = [
    path("fields/", fields.fields, name="fields"),
    path("fields/import/", fields.fields_import, name="fields_import"),
    path("fields/edit/", fields.fields_edit, name="fields_edit"),
    path("fields/fetch/", fields.fields_fetch, name="fields_fetch"),
]

urlpatterns = [
    path("", projects.project_list, name="list"),
    path("new/", projects.project_new, name="project_new"),
    path("environments/", environments.environments, name="environments"),
    path("environments/<str:environment>/", include(of_environment)),
    path(
        "approval-rules/<int:pk>/delete/",
        approval_rules.approval_rule_delete,
        name="approval_rule_delete",
    ),
    path("<int:pk>/", include(of_project)),
    path("keys/<int:pk>/rotate/", keys.key_rotate, name="key_rotate"),
    path("keys/<int:pk>/revoke/", keys.key_revoke, name="key_revoke"),
    path("integrations/<int:pk>/", include(of_integration)),
    path("objects/<int:pk>/", include(of_object)),
    path("groups/<int:pk>/edit/", groups.group_edit, name="group_edit"),
    path("groups/<int:pk>/delete/", groups.group_delete, name="group_delete"),
]
