"""What django-allauth asks of the console: its own words of how people sign in.

Of allauth the console uses the way from a right password (or provider) to a session,
and what second factors are made of; docs/decisions/access.md says why no more.
"""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from console.access.client_address import client_address
from console.fields import cipher


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up, and pages of ours say what happened."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        """Return what stands between a right password and the session."""
        return ["console.sign_in.second_factor.SecondFactorStage"]

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or "unknown"

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Answer somebody whom a provider named, and whose account is closed."""
        messages.warning(request, "You were not signed in: your account is closed.")
        return redirect("login")

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: allauth's sentences are those of its own pages."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send nothing: the audit trail tells it."""


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps secrets of second factors as API keys are kept: under FIELD_KEYS."""

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises `InvalidToken` where none of FIELD_KEYS fits."""
        return cipher().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return f"Write Console {self._get_site_name()}"

    def get_totp_label(self, user: User) -> str:
        return user.get_username()
