"""The console's addresses, and an admin site that shows operations."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import path

from console.urls import handler400, handler403, handler404, handler500
from console.urls import urlpatterns as of_the_console
from operations.models import Operation


class Site(admin.AdminSite):
    """Open to whoever is signed in."""

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active


class OperationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Operations in the columns of the console's list."""

    list_display = (
        *("created_at", "state", "action", "object_name", "group_ref", "project"),
        *("started_by_name", "rows_succeeded", "rows_failed", "rows_sent"),
    )
    list_select_related = ("project",)
    list_per_page = 50
    actions = None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


site = Site()
site.register(Operation, OperationAdmin)
urlpatterns = [*of_the_console, path("admin/", site.urls)]
__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
