"""The page of ours that a request was made from."""

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def referring_page(request: HttpRequest) -> str:
    """Return its path with the query, or "" where it is not known or not ours."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, request.get_host()):
        return ""
    parts = urlsplit(page)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    # As a link, a path that begins with two slashes of any kind names another host.
    return path if url_has_allowed_host_and_scheme(path, None) else ""
