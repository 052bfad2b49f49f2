"""Every address of the console."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from console.sign_in.oidc import PROVIDER
from console.views import (
    account,
    health,
    identity_check,
    invitation,
    login,
    mail,
    oidc,
    password_reset,
    second_factor,
    shortcuts,
    theme,
    tokens,
)

urlpatterns = [
    path("", include("writes.urls")),
    path("operations/", include("operations.urls")),
    path("audit/", include("operations.audit_urls")),
    path("connections/", include("console.connection_urls")),
    path("api/v1/", include("writes.api_urls")),
    path("login/", login.LoginView.as_view(), name="login"),
    path("login/code/", login.login_code, name="login_code"),
    # Named as allauth asks for them.
    path(
        "login/oidc/",
        oidc.oidc_login,
        {"provider_id": PROVIDER},
        name="openid_connect_login",
    ),
    path(
        "login/oidc/callback/",
        oidc.oidc_callback,
        {"provider_id": PROVIDER},
        name="openid_connect_callback",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("account/", account.account, name="account"),
    path("account/mail/", mail.mail, name="mail"),
    path("account/password/", account.password, name="password"),
    path("account/check/", identity_check.identity_check, name="identity_check"),
    path("account/second-factor/", second_factor.second_factor, name="second_factor"),
    path("account/second-factor/key/", second_factor.security_key, name="security_key"),
    path(
        "account/second-factor/remove/",
        second_factor.second_factor_remove,
        name="second_factor_remove",
    ),
    path(
        "account/recovery-codes/", second_factor.recovery_codes, name="recovery_codes"
    ),
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
    path("account/connect/", oidc.connect, name="connect"),
    path("account/disconnect/", oidc.disconnect, name="disconnect"),
    path("account/tokens/new/", tokens.token_new, name="token_new"),
    path("account/tokens/revoke/", tokens.token_revoke, name="token_revoke"),
    path(
        "account/invitation/<uidb64>/<token>/",
        invitation.InvitationView.as_view(),
        name="invitation",
    ),
    path(
        "account/password-reset/", password_reset.password_reset, name="password_reset"
    ),
    path(
        "account/password-reset/<uidb64>/<token>/",
        password_reset.PasswordResetLinkView.as_view(),
        name="password_reset_link",
    ),
    path("users/", include("console.user_urls")),
    path("shortcuts/", shortcuts.shortcuts, name="shortcuts"),
    path("theme/", theme.theme, name="theme"),
    path("healthz", health.healthz, name="healthz"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = "console.views.errors.bad_request"
handler403 = "console.views.errors.permission_denied"
handler404 = "console.views.errors.not_found"
handler500 = "console.views.errors.server_error"
