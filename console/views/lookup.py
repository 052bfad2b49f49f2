"""Finding what an address of this app names: the only way a view gets it.

All answer 404 for what is not there for the reader, and refuse a role that is too low.
"""

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from console.access.roles import Role, may_change_user, need_admin_everywhere
from console.access.scoping import find
from console.http import ConsoleRequest
from console.models import ApiKey, Group, Integration, Project, WriteObject


def find_project(request: ConsoleRequest, pk: int, role: Role) -> Project:
    """Return the project, for people with `role` in its environment."""
    return find(request, Project.objects.all(), pk, role)


def find_active_key(request: ConsoleRequest, pk: int, role: Role) -> ApiKey:
    """Return an API key that is not revoked, without its value."""
    keys = ApiKey.objects.filter(revoked_at=None).defer("value")
    return find(request, keys, pk, role)


def find_integration(request: ConsoleRequest, pk: int, role: Role) -> Integration:
    """Return the integration with its project."""
    return find(request, Integration.objects.all(), pk, role)


def find_group(request: ConsoleRequest, pk: int, role: Role) -> Group:
    """Return the group with its integration and project."""
    return find(request, Group.objects.all(), pk, role)


def find_object(request: ConsoleRequest, pk: int, role: Role) -> WriteObject:
    """Return the object with its field list, integration and project."""
    return find(request, WriteObject.objects.defer(None), pk, role)


def find_person(request: ConsoleRequest, pk: int) -> User:
    """Return the user, for who may change them: an admin of every environment.

    Only superusers may change a superuser.
    """
    need_admin_everywhere(request.user)
    person = get_object_or_404(User, pk=pk)
    if not may_change_user(request.user, person):
        raise PermissionDenied("Only a superuser may change a superuser.")
    return person
