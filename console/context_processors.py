"""What every page knows."""

from django.http import HttpRequest

from console.roles import Role, role_of


def page(request: HttpRequest) -> dict[str, object]:
    """Return the reader's role, as three flags that templates read, and the theme."""
    user = getattr(request, "user", None)
    role = role_of(user) if user is not None else Role.NONE
    theme = request.COOKIES.get("theme", "")
    return {
        "can_read": role >= Role.VIEWER,
        "can_write": role >= Role.OPERATOR,
        "can_manage": role >= Role.ADMIN,
        "theme": theme if theme in ("light", "dark") else "",
    }
