"""Every address of the console."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from console.admin import site
from console.views import account, health, login, mail, shortcuts, theme

urlpatterns = [
    path("", include("writes.urls")),
    path("operations/", include("operations.urls")),
    path("audit/", include("operations.audit_urls")),
    path("connections/", include("console.connection_urls")),
    path("login/", login.LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("account/", account.account, name="account"),
    path("account/mail/", mail.mail, name="mail"),
    path("account/password/", account.password, name="password"),
    path(
        "account/sign-out-everywhere/",
        account.sign_out_everywhere,
        name="sign_out_everywhere",
    ),
    path(
        "account/sign-out-elsewhere/",
        account.sign_out_elsewhere,
        name="sign_out_elsewhere",
    ),
    path(
        "account/people/<int:pk>/sessions/",
        account.person_sessions,
        name="person_sessions",
    ),
    path("shortcuts/", shortcuts.shortcuts, name="shortcuts"),
    path("theme/", theme.theme, name="theme"),
    path("healthz", health.healthz, name="healthz"),
    path("admin/", site.urls),
]

handler400 = "console.views.errors.bad_request"
handler403 = "console.views.errors.permission_denied"
handler404 = "console.views.errors.not_found"
handler500 = "console.views.errors.server_error"
