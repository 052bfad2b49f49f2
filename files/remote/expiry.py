"""When a signed address ends."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from files.findings import Finding

# An address that expires sooner may be gone before Ampersand fetches it.
SOON = timedelta(hours=1)


def expiry(url: str) -> datetime | None:
    """Return when a signed address ends, by the parameters of S3, Google and Azure."""
    query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    try:
        for vendor in ("x-amz", "x-goog"):
            if f"{vendor}-date" in query and f"{vendor}-expires" in query:
                start = datetime.strptime(query[f"{vendor}-date"], "%Y%m%dT%H%M%S%z")
                return start + timedelta(seconds=int(query[f"{vendor}-expires"]))
        if "expires" in query and "signature" in query:
            return datetime.fromtimestamp(int(query["expires"]), UTC)
        if "se" in query and "sig" in query:
            ends = datetime.fromisoformat(query["se"])
            # Azure knows no other zone.
            return ends.astimezone(UTC) if ends.tzinfo else ends.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def expiry_findings(expires_at: datetime | None, now: datetime) -> list[Finding]:
    """Return a warning where the address ends soon."""
    if expires_at is None or not now < expires_at < now + SOON:
        return []
    message = (
        f"The URL expires on {moment(expires_at)}. Ampersand downloads it only after "
        "you send: create one that lasts longer."
    )
    return [Finding(level="warns", rule="expires-soon", message=message)]


def moment(when: datetime) -> str:
    """Return "3 May 2026, 14:05 UTC"."""
    return f"{when.day} {when:%B %Y, %H:%M} UTC"
