"""Addresses under /users/."""

from django.urls import include, path

from console.views import second_factor, user, users

app_name = "users"

of_user = [
    path("", user.user, name="detail"),
    path("access/", user.access, name="access"),
    path("edit/", user.user_edit, name="edit"),
    path("deactivate/", user.deactivate, name="deactivate"),
    path("activate/", user.activate, name="activate"),
    path("password/", user.user_password, name="password"),
    path("link/", user.link, name="link"),
    path(
        "second-factor/remove/",
        second_factor.user_second_factor_remove,
        name="second_factor_remove",
    ),
    path("sessions/end/", user.end_sessions, name="end_sessions"),
    path("tokens/revoke/", user.token_revoke, name="token_revoke"),
]

urlpatterns = [
    path("", users.user_list, name="list"),
    path("new/", users.user_new, name="new"),
    path("<int:pk>/", include(of_user)),
]
