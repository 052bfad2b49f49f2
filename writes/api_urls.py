"""Addresses for programs, below /api/v1/: of all apps, described by one document."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from console.api.openapi import document
from operations.views import api as history
from writes.views import api

app_name = "api"
BASE = "/api/v1/"

endpoints = [
    path("operations", history.operations, name="operations"),
    path("operations/<int:pk>", history.operation, name="operation"),
    path("operations/<int:pk>/logs", history.logs, name="logs"),
    path("writes", api.writes, name="writes"),
    path("writes/<int:pk>", api.write, name="write"),
    path("writes/<int:pk>/rows", api.rows, name="rows"),
    path("audit", history.audit, name="audit"),
]


@login_not_required
@require_safe
def described(request: HttpRequest) -> JsonResponse:
    """Give the OpenAPI document to anyone: it tells of no data."""
    return JsonResponse(document(BASE, endpoints))


urlpatterns = [*endpoints, path("openapi.json", described, name="described")]
