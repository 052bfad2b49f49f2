"""What every page knows."""

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from console.access.roles import Role, is_admin_everywhere, role_in, role_of
from console.models import EnvironmentControl
from console.models.first_password import must_change_password


def page(request: HttpRequest) -> dict[str, object]:
    """Return what the reader may do, as flags that templates read, and the looks.

    `frozen` are the environments of theirs that send nothing: asked for by whole pages
    alone. `can_write` and `can_manage` are about the environment of what the page shows
    (`need_role` noted it), and about any on a page that shows all of them.
    """
    user = getattr(request, "user", AnonymousUser())
    if getattr(request, "first_step", "") or must_change_password(user):
        # They reach nothing yet: the page says no more than the one of the sign-in.
        user = AnonymousUser()
    anywhere = role_of(user)
    environment = getattr(request, "environment", "")
    here = role_in(user, environment) if environment else anywhere
    theme = request.COOKIES.get("theme", "")
    return {
        "is_in": user.is_authenticated,
        "can_write": here >= Role.OPERATOR,
        "can_manage": here >= Role.ADMIN,
        "can_write_anywhere": anywhere >= Role.OPERATOR,
        "can_manage_anywhere": anywhere >= Role.ADMIN,
        "can_manage_people": is_admin_everywhere(user),
        "frozen": EnvironmentControl.objects.visible_to(user).frozen(),
        "keys_are_off": request.COOKIES.get("keys") == "off",
        "theme": theme if theme in ("light", "dark") else "",
    }
