"""The list of users, and making one."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from console.access.roles import require_admin_everywhere
from console.actor import Actor
from console.environments import Environment
from console.http import ConsoleRequest
from console.sign_in.sessions import count_signed_in
from console.users.change import add_user, all_roles_of
from console.users.forms import NewUserForm, UserFilter
from console.users.invitation import DAYS, NotSent, invite
from console.users.mailed_link import can_mail_links
from console.views.pages import posted

PAGE = 50


@require_safe
@never_cache
@require_admin_everywhere
def user_list(request: ConsoleRequest) -> HttpResponse:
    """Show users by name, narrowed by the filters in the address."""
    chosen = UserFilter(request.GET)
    context = {"filter": chosen, "environments": Environment.choices}
    if not chosen.is_valid():
        return render(request, "console/users.html", context, status=400)
    users = User.objects.select_related("first_password").prefetch_related("grants")
    found = chosen.apply(users).order_by("username")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    sessions = count_signed_in(page.object_list)
    context |= {
        "page": page,
        "lines": [
            {"user": user, "roles": words_of(user), "sessions": sessions[user.pk]}
            for user in page
        ],
        "query": chosen.query(),
    }
    return render(request, "console/users.html", context)


def words_of(user: User) -> list[tuple[str, str]]:
    """Return the label of each environment with the role there, in a word."""
    roles = all_roles_of(user)
    return [
        (label, "superuser" if user.is_superuser else roles[word] or "none")
        for word, label in Environment.choices
    ]


@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
@require_admin_everywhere
def user_new(request: ConsoleRequest) -> HttpResponse:
    """Make a user with roles, and a first password or an invitation."""
    form = NewUserForm(posted(request), can_invite=can_mail_links())
    if not form.is_valid():
        context = {"form": form, "can_invite": can_mail_links(), "days": DAYS}
        status = 422 if form.errors else 200
        return render(request, "console/user_new.html", context, status=status)
    with transaction.atomic():
        user = form.save(commit=False)
        add_user(user, form.roles, Actor.of(request))
    messages.success(request, f"{user} was added.")
    if form.is_invited:
        send_link(request, user)
    return redirect("users:detail", user.pk)


def send_link(request: ConsoleRequest, user: User) -> None:
    """Send a link to choose a password by, and say whether it was sent."""
    try:
        invite(user, Actor.of(request))
    except NotSent as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"A link was sent to {user.email}.")
