"""Environment variables: each is checked, and one that is wrong ends the process.

One line on stderr then says which variable it is, its value unless that is a secret,
and what would be right; whatever process reads the settings ends with it.
"""

import io
import re
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ  # type: ignore[import-untyped]
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from files.lines import text_lines

# gunicorn starts a process that ends otherwise again and again.
EXIT_CODE = 4
# No value is shown longer than this.
LONGEST = 100

TRUE = ("true", "1", "yes", "on", "y", "t")
FALSE = ("false", "0", "no", "off", "n", "f")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Their values are never shown. DATABASE_URL has a password in it.
SECRETS = {
    "SECRET_KEY",
    "FIELD_KEYS",
    "AUDIT_KEYS",
    "DATABASE_URL",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "DEMO_PASSWORD",
    "EMAIL_URL",
    "METRICS_TOKEN",
    "SENTRY_DSN",
    "OIDC_CLIENT_SECRET",
}
SHORTEST_TOKEN = 16
# How a mail server is spoken to, by the scheme of its address: port, and how it is
# made secure.
MAIL_SCHEMES: dict[str, tuple[int, dict[str, bool]]] = {
    "smtp": (25, {}),
    "smtp+tls": (587, {"use_tls": True}),
    "smtp+ssl": (465, {"use_ssl": True}),
}
ENGINES = ("django.db.backends.postgresql", "django.db.backends.sqlite3")
MEMORY = ":memory:"
# Options of Django's own, which are none of the connection.
OF_DJANGO = {"assume_role", "isolation_level", "pool", "server_side_binding"}

# A line of a .env, as environ reads it.
_ASSIGNED = re.compile(r"(?:export )?[A-Za-z_0-9]+=")

_BACKENDS = "django.core.mail.backends"
_HOST = re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE)
_GROUP_ROLE = re.compile(
    r"(?P<group>.+)=\s*(?P<role>viewer|operator|admin)"
    r"(@(?P<place>sandbox|test|production))?"
)
_ENDPOINT = re.compile(
    r"(?P<host>[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?",
    re.ASCII | re.IGNORECASE,
)


def as_endpoint(endpoint: tuple[str, int]) -> str:
    """Return a host and its port as a variable spells them."""
    host, port = endpoint
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def refuse(name: str, value: str | None, allowed: str) -> NoReturn:
    """End this process with one line: what is wrong, and what is allowed."""
    shown = name
    if value is not None and name.removesuffix("_FILE") not in SECRETS:
        shown = f"{name}={_in_one_line(value)}"
    sys.stderr.write(f"Nothing was started: {shown} is not right. {allowed}\n")
    raise SystemExit(EXIT_CODE)


def _in_one_line(text: str) -> str:
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:LONGEST])
    return shown + ("…" if len(text) > LONGEST else "")


class Variables(environ.FileAwareEnv):  # type: ignore[misc]
    """The environment, where NAME_FILE may stand for NAME.

    An empty value is none: the default counts. Every method ends the process where the
    value is not right.
    """

    # What was read from a file is not remembered: nothing asks twice.
    ENVIRON = environ.FileAwareMapping(cache=False)

    @classmethod
    def read_env(cls, env_file: Path, **how: Any) -> None:
        """Read a file of variables, where it is there; each line must be understood.

        One that is not would leave its variable at the default.
        """
        try:
            # Some editors begin a file with a mark of its encoding.
            text = env_file.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            refuse(str(env_file), None, f"The file cannot be read: {_reason(error)}.")
        lines = text_lines(text)
        for number, line in enumerate(lines, 1):
            # What the line says may be a secret.
            is_aside = not line.strip() or line.lstrip().startswith("#")
            if "\0" in line or not (is_aside or _ASSIGNED.match(line)):
                refuse(
                    f"line {number} of {env_file}",
                    None,
                    "It must be NAME=value, without spaces before the name and around "
                    "the =, or begin with # where it is a remark.",
                )
        assigned = "\n".join(line for line in lines if _ASSIGNED.match(line))
        super().read_env(io.StringIO(assigned), **how)

    def text(self, name: str, *, default: str | None = None) -> str:
        """Return text in one line; without a `default` it must be there."""
        value = self._value(name)
        if value:
            return value
        if default is None:
            refuse(name, None, "It must be set: see .env.example.")
        return default

    def _value(self, name: str) -> str:
        try:
            # Without a default, which would stand for what follows a dollar sign, too.
            value = str(self.get_value(name)) if name in self.ENVIRON else ""
        except (OSError, UnicodeDecodeError) as error:
            path = str(self.ENVIRON.env.get(f"{name}_FILE", ""))
            # The path is no secret.
            shown = f"{name}_FILE={_in_one_line(path)}"
            refuse(shown, None, f"The file cannot be read: {_reason(error)}.")
        except (ImproperlyConfigured, RecursionError):
            refuse(
                name,
                None,
                "It begins with a dollar sign, and no variable is called like what "
                "follows. Write \\$ where the value itself begins with one.",
            )
        # Most editors end a file with one.
        value = value.rstrip("\r\n")
        if not value.isprintable():
            refuse(
                name,
                value,
                "It holds a line end or another character that cannot be seen. Take it "
                "out: the value is one line of text.",
            )
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return yes or no."""
        value = self.text(name, default="true" if default else "false")
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
        refuse(name, value, "It must be true or false.")

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.text(name, default=str(default))
        is_number = re.fullmatch(r"\s*\+?\d{1,12}\s*", value, re.ASCII)
        if not is_number or not least <= int(value) <= most:
            refuse(name, value, f"It must be a whole number from {least} to {most}.")
        return int(value)

    def words(self, name: str, *, default: Collection[str] = ()) -> list[str]:
        """Return what stands between commas."""
        value = self.text(name, default=",".join(default))
        return [word.strip() for word in value.split(",") if word.strip()]

    def level(self, name: str, *, default: str) -> str:
        """Return the name of a level of the log, in capitals."""
        value = self.text(name, default=default)
        if value.upper() not in LEVELS:
            refuse(name, value, f"It must be one of {', '.join(LEVELS)}.")
        return value.upper()

    def one_of(self, name: str, words: Sequence[str]) -> str:
        """Return one of `words`, in small letters; the first is the default."""
        value = self.text(name, default=words[0]).lower()
        if value not in words:
            refuse(name, value, f"It must be one of {', '.join(words)}.")
        return value

    def some_of(self, name: str, words: Sequence[str]) -> list[str]:
        """Return some of `words`, in small letters; by default none."""
        found = [word.lower() for word in self.words(name)]
        for word in found:
            if word not in words:
                allowed = ", ".join(words)
                refuse(name, word, f"It must be some of {allowed}, with commas.")
        return found

    def token(self, name: str) -> str:
        """Return what stands after “Bearer” in a header; empty where none is set."""
        value = self.text(name, default="")
        if value and not re.fullmatch(rf"[!-~]{{{SHORTEST_TOKEN},}}", value):
            refuse(
                name,
                None,
                f"It must be {SHORTEST_TOKEN} or more letters, digits and signs of "
                "ASCII, without spaces. Make one with: openssl rand -hex 32",
            )
        return value

    def hosts(self, name: str, *, default: Collection[str]) -> list[str]:
        """Return names of hosts, without scheme and port."""
        found = self.words(name, default=default)
        for host in found:
            if not _HOST.fullmatch(host):
                refuse(
                    name,
                    host,
                    "It must be names of hosts with commas between them, without "
                    "https:// and without a port, for example console.example.com.",
                )
        return found

    def endpoints(
        self, name: str, *, default: Collection[str] = ()
    ) -> list[tuple[str, int]]:
        """Return hosts with their ports; 443 where none is named."""
        found = []
        for word in self.words(name, default=default):
            match = _ENDPOINT.fullmatch(word)
            port = int(match["port"] or 443) if match else 0
            if match is None or not 1 <= port <= 65_535:
                refuse(
                    name,
                    word,
                    "It must be hosts with commas between them, without https:// and "
                    "with the port unless that is 443, for example "
                    "api.example.com:8443.",
                )
            found.append((match["host"].strip("[]").lower(), port))
        return found

    def origins(self, name: str) -> list[str]:
        """Return origins: scheme, host and perhaps a port."""
        found = self.words(name)
        for origin in found:
            parts = _split(origin)
            if parts is None or parts.path or parts.query or parts.fragment:
                refuse(
                    name,
                    origin,
                    "It must be origins with commas between them, with https:// or "
                    "http:// and without a path, for example https://console.example.com.",
                )
        return found

    def address(self, name: str, *, example: str) -> str:
        """Return an address of http or https; empty where none is set."""
        value = self.text(name, default="")
        if value and _split(value) is None:
            refuse(name, value, f"It must be a URL, for example {example}.")
        return value

    def dsn(self, name: str) -> str:
        """Return an address with a key before its host and a number as its path."""
        value = self.text(name, default="")
        parts = _split(value)
        is_dsn = parts and parts.username and re.search(r"/\d+$", parts.path)
        if value and not is_dsn:
            refuse(name, None, "It must look like https://key@sentry.example.com/1.")
        return value

    def issuer(self, name: str) -> str:
        """Return the address of an OpenID Connect provider; empty where none is set.

        Whatever it says is believed because of TLS: without, only on this machine.
        """
        value = self.address(name, example="https://login.example.com")
        parts = urlsplit(value)
        if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost"):
            refuse(name, value, "It must be https, unless it is on this machine.")
        return value.rstrip("/")

    def group_roles(self, name: str) -> list[tuple[str, str, str]]:
        """Return a group, a role and an environment, "" for all, of each entry."""
        found = []
        for entry in self.words(name):
            match = _GROUP_ROLE.fullmatch(entry)
            if match is None:
                refuse(
                    name,
                    entry,
                    "It must be entries with commas between them, each a group, = and "
                    "viewer, operator or admin; with @ and an environment where it is "
                    "not for all, for example crm-admins=admin@production.",
                )
            found.append((match["group"].strip(), match["role"], match["place"] or ""))
        return found

    def mailers(self, name: str, *, timeout: int) -> dict[str, Any]:
        """Return what Django wants to know of the mail server.

        Where none is set, nothing is sent.
        """
        value = self.text(name, default="")
        if not value:
            return {"default": {"BACKEND": f"{_BACKENDS}.dummy.EmailBackend"}}
        try:
            parts = urlsplit(value)
            port, how = MAIL_SCHEMES[parts.scheme]
            port = parts.port or port
        except (KeyError, ValueError):
            parts = None
        if parts is None or not parts.hostname or parts.path.strip("/") or parts.query:
            # It has the password in it.
            refuse(
                name,
                None,
                "It must be smtp+tls://user:password@host:587, smtp+ssl:// or smtp://; "
                "signs as @ and / in a password are written as %40 and %2F.",
            )
        options = {
            "host": parts.hostname,
            "port": port,
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "timeout": timeout,
            **how,
        }
        backend = f"{_BACKENDS}.smtp.EmailBackend"
        return {"default": {"BACKEND": backend, "OPTIONS": options}}

    def time_zone(self, name: str, *, default: str) -> str:
        """Return the name of a time zone."""
        value = self.text(name, default=default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            refuse(
                name,
                value,
                "It must be the name of a time zone, for example Europe/Berlin.",
            )
        return value

    def fernet_keys(self, name: str, *, may_be_none: bool = False) -> list[str]:
        """Return keys that Fernet takes; at least one must be there."""
        how = (
            "Make one with: python -c 'from cryptography.fernet import Fernet; "
            "print(Fernet.generate_key().decode())'"
        )
        keys = self.words(name)
        if not keys and not may_be_none:
            refuse(name, None, f"It must be set to a Fernet key. {how}")
        for number, key in enumerate(keys, 1):
            try:
                Fernet(key)
            except ValueError:
                what = f"Key {number} is not 32 bytes in URL-safe base64."
                refuse(name, None, f"{what} {how}")
        return keys

    def database(self, name: str, *, default: str) -> dict[str, Any]:
        """Return what Django wants to know of the database."""
        value = self.text(name, default=default)
        allowed = (
            "It must be postgres://user:password@host/name, or "
            "sqlite:////path/of/a/file; @, / and # in a password are written "
            "as %40, %2F and %23."
        )
        try:
            found: dict[str, Any] = self.db_url_config(value)
        except Exception:
            # It has the password in it.
            refuse(name, None, allowed)
        if found.get("ENGINE") not in ENGINES or not found.get("NAME"):
            refuse(name, None, allowed)
        if found["NAME"] == MEMORY and value != f"sqlite://{MEMORY}":
            # Each process would have one of its own.
            refuse(name, None, allowed)
        if found["ENGINE"] == ENGINES[0]:
            _need_options(name, found.get("OPTIONS", {}))
        elif found["NAME"] != MEMORY and not Path(found["NAME"]).parent.is_dir():
            refuse(name, None, "The directory of the SQLite file is not there.")
        return found

    def directory(
        self, name: str, *, default: Path, make: Callable[[Path], None]
    ) -> Path:
        """Return a directory that this process may write in; it is made if need be."""
        path = Path(self.text(name, default=str(default)))
        allowed = "It must be a directory in which this user may write"
        try:
            make(path)
        except OSError as error:
            refuse(name, str(path), f"{allowed}: {_reason(error)}.")
        return path


def _need_options(name: str, options: dict[str, Any]) -> None:
    import psycopg

    try:
        own = {key: each for key, each in options.items() if key not in OF_DJANGO}
        psycopg.conninfo.make_conninfo(**own)
    except psycopg.Error:
        refuse(name, None, "What stands after the ? is no option of PostgreSQL.")


def _split(address: str) -> Any:
    """Return the parts of an address of http or https, None if it is none."""
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and parts.hostname
        _ = parts.port
    except ValueError:
        return None
    return parts if is_address and " " not in address else None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return "it is no text in UTF-8"
