"""Signing in: Django's own page, but not as often as somebody likes."""

from math import ceil
from typing import Any

from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse

from console.access.client_address import client_address
from console.sign_in.audit import record_lock
from console.sign_in.throttle import Locked, begin


class LoginView(auth_views.LoginView):
    """Ask for name and password; 429 when these were wrong too often."""

    template_name = "console/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Look at the password, unless there were too many tries."""
        name = request.POST.get("username", "")
        try:
            attempt = begin(name, client_address(request))
        except Locked as lock:
            return self._refuse(lock, name)
        response = super().post(request, *args, **kwargs)
        if request.user.is_authenticated:
            attempt.was_right()
        return response

    def _refuse(self, lock: Locked, name: str) -> HttpResponse:
        for attempt in lock.last:
            if attempt.claim_audit():
                record_lock(self.request, attempt.name, lock)
        context = self.get_context_data(
            form=self.get_form_class()(self.request, initial={"username": name}),
            locked_minutes=ceil(lock.seconds / 60),
        )
        response = self.render_to_response(context, status=429)
        response["Retry-After"] = str(lock.seconds)
        return response
