"""Sessions in the database that know whose they are: Django's `SESSION_ENGINE`."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

from console.models import Session


class SessionStore(db.SessionStore):
    """Django's own, with the person beside what it keeps."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        return row
