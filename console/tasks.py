"""Background work of this app: doors to functions that do it."""

from django.tasks import task

from console.users import password_reset


@task(queue_name="watching")
def mail_reset_links(attempt_id: int) -> None:
    """Send a link to choose a new password to whoever an attempt names."""
    password_reset.mail_links(attempt_id)
