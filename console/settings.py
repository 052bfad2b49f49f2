"""Settings of the Write Console: one file, every difference is an environment variable.

Each variable may also be given as NAME_FILE, the path of a file with the value.
`.env` beside manage.py is read when it exists; real environment variables win.
"""

from pathlib import Path

from django.utils.csp import CSP

from console import private_files
from console.variables import Variables, refuse
from console.web.limits import SMALL_BODY

BASE_DIR = Path(__file__).resolve().parent.parent

env = Variables()
env.escape_proxy = True
env.read_env(BASE_DIR / ".env")

# --- What must be set -------------------------------------------------------

SECRET_KEY = env.text("SECRET_KEY")
# Fernet keys that encrypt API keys at rest. The first encrypts, all decrypt.
FIELD_KEYS = env.fernet_keys("FIELD_KEYS")

# --- What may be set --------------------------------------------------------

# Keys that seal the audit trail, before FIELD_KEYS: the first seals, all verify.
AUDIT_KEYS = env.fernet_keys("AUDIT_KEYS", may_be_none=True)
DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
HTTPS_ONLY = env.flag("HTTPS_ONLY", default=True)
TRUST_PROXY = env.flag("TRUST_PROXY", default=False)
# How many of them a request passes, one after the other.
PROXY_COUNT = env.number("PROXY_COUNT", default=1, least=1, most=10)
DATA_DIR = env.directory(
    "DATA_DIR", default=BASE_DIR / "var", make=private_files.prepare
)
TIME_ZONE = env.time_zone("TIME_ZONE", default="UTC")
LOG_LEVEL = env.level("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.one_of("LOG_FORMAT", ("text", "json"))
# What a monitor sends to read /metrics; without one there is no such page.
METRICS_TOKEN = env.token("METRICS_TOKEN")
# A server that speaks Sentry's protocol: errors are reported there.
SENTRY_DSN = env.dsn("SENTRY_DSN")
SESSION_HOURS = env.number("SESSION_HOURS", default=12, least=1, most=8_760)
SESSION_IDLE_MINUTES = env.number(
    "SESSION_IDLE_MINUTES", default=120, least=1, most=525_600
)

# Whose sign-in takes a second factor: who has one of these roles (or a higher one) in
# any environment, and who has any role in one of these environments.
SECOND_FACTOR_FOR = env.some_of(
    "SECOND_FACTOR_FOR",
    ("viewer", "operator", "admin", "sandbox", "test", "production"),
)
# Before which acts people show again who they are, and for how long that counts.
IDENTITY_CHECK_FOR = env.some_of(
    "IDENTITY_CHECK_FOR", ("keys", "roles", "freeze", "production")
)
IDENTITY_CHECK_MINUTES = env.number(
    "IDENTITY_CHECK_MINUTES", default=15, least=1, most=1_440
)

# A provider of OpenID Connect by which people may sign in, if there is one.
OIDC_ISSUER = env.issuer("OIDC_ISSUER")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET", default="")
for _name in ("OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"):
    if OIDC_ISSUER and not globals()[_name]:
        refuse(_name, None, "OIDC_ISSUER is set, so it must be set too.")
# What people call it.
OIDC_NAME = env.text("OIDC_NAME", default="single sign-on")
OIDC_SCOPES = env.words("OIDC_SCOPES", default=["openid", "profile", "email"])
# Which claim has the groups of a person, and which roles groups give; with any, people
# who come by the provider have these roles and no others.
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", default="groups")
OIDC_GROUPS = env.group_roles("OIDC_GROUPS")
# Whether the provider asks for a second factor, so that the console need not.
OIDC_HAS_SECOND_FACTOR = env.flag("OIDC_HAS_SECOND_FACTOR", default=False)

# Seconds a write may take before its outcome is called unknown.
SEND_TIMEOUT = env.number("SEND_TIMEOUT", default=60, least=1, most=3_600)

# On how many machines the console runs; several need PostgreSQL.
MACHINES = env.number("MACHINES", default=1, least=1, most=10_000)

# Days within which the same content is not sent again without a reason.
REPEAT_DAYS = env.number("REPEAT_DAYS", default=7, least=0, most=3_650)

# Minutes after which an unknown outcome is announced on every page.
UNKNOWN_ALERT_MINUTES = env.number(
    "UNKNOWN_ALERT_MINUTES", default=60, least=0, most=525_600
)

# The server that sends e-mail, if there is one, and who it is from.
MAILERS = env.mailers("EMAIL_URL", timeout=10)
SENDS_MAIL = bool(env.text("EMAIL_URL", default=""))
# Without a mail server no e-mail is sent, and nothing else needs one.
SILENCED_SYSTEM_CHECKS = [] if SENDS_MAIL else ["mail.E001"]
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", default="write-console@localhost")
# The address by which people open this console, for links in notices.
CONSOLE_URL = env.address("CONSOLE_URL", example="https://console.example.com")
# Where Ampersand reaches this console, if it can: it may then fetch files from here.
PUBLIC_URL = env.address("PUBLIC_URL", example="https://console.example.com")
# Hosts besides Ampersand's own that a project's addresses may name, as (host, port):
# its API key goes there. And those in private networks where a file may lie.
API_HOSTS = env.endpoints("API_HOSTS")
PRIVATE_HOSTS = env.endpoints("PRIVATE_HOSTS")
# Where files may be put that Ampersand then fetches (API of 2024-04 alone).
UPLOAD_HOSTS = env.endpoints("UPLOAD_HOSTS", default=["storage.googleapis.com"])

# An S3-compatible store that Ampersand can fetch files from, if there is one.
S3_BUCKET = env.text("S3_BUCKET", default="")
S3_ENDPOINT = env.address(
    "S3_ENDPOINT", example="https://s3.eu-central-1.amazonaws.com"
)
S3_REGION = env.text("S3_REGION", default="us-east-1")
S3_ACCESS_KEY = env.text("S3_ACCESS_KEY", default="")
S3_SECRET_KEY = env.text("S3_SECRET_KEY", default="")
S3_PREFIX = env.text("S3_PREFIX", default="")
for _name in ("S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY"):
    if S3_BUCKET and not globals()[_name]:
        refuse(_name, None, "S3_BUCKET is set, so it must be set too.")
# Days that files, row outcomes and values of what was sent are kept, by environment.
KEEP_DAYS = {
    "sandbox": env.number("KEEP_DAYS_SANDBOX", default=30, least=1, most=36_500),
    "test": env.number("KEEP_DAYS_TEST", default=30, least=1, most=36_500),
    "production": env.number("KEEP_DAYS_PRODUCTION", default=90, least=1, most=36_500),
}
# Days that logs are kept after an operation ended, by environment; 0 is for good, and
# the default: no upgrade takes away what an audit may need. Logs quote values, though.
KEEP_LOGS_DAYS = {
    "sandbox": env.number("KEEP_LOGS_DAYS_SANDBOX", default=0, least=0, most=36_500),
    "test": env.number("KEEP_LOGS_DAYS_TEST", default=0, least=0, most=36_500),
    "production": env.number(
        "KEEP_LOGS_DAYS_PRODUCTION", default=0, least=0, most=36_500
    ),
}
# Days that Ampersand keeps the log of an operation. It publishes no number: it is part
# of a project's plan (`entitlements.logRetentionDays` of its API).
LOG_DAYS_AT_AMPERSAND = env.number(
    "LOG_DAYS_AT_AMPERSAND", default=7, least=1, most=3_650
)

# Requests a minute that each API token may make.
API_PER_MINUTE = env.number("API_PER_MINUTE", default=120, least=1, most=100_000)

# MiB that the files of one person's drafts may take.
DRAFTS_MIB = env.number("DRAFTS_MIB", default=5_120, least=1, most=1_000_000)
# MiB of disk that no upload takes: they are for what is being sent, and the database.
KEEP_FREE_MIB = env.number("KEEP_FREE_MIB", default=1_024, least=0, most=1_000_000)

# --- Django -----------------------------------------------------------------

INSTALLED_APPS = [
    "writes",
    "operations",
    "console",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "django_tasks_db",
    # What of it is used, and how: docs/decisions/access.md.
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

MIDDLEWARE = [
    "console.middleware.CountRequestsMiddleware",
    "console.views.health.ProbesByAddress",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.middleware.CompressPagesMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "console.middleware.NoStoreMiddleware",
    "console.api.no_cookies.NoCookiesMiddleware",
    "console.uploads.BodyLimitMiddleware",
    "console.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # Before it is asked who somebody is.
    "console.sign_in.session_expiry.SessionLimitsMiddleware",
    "console.sign_in.required.LoginRequiredMiddleware",
    "console.sign_in.first_steps.FirstStepsMiddleware",
    "console.sign_in.identity_check.IdentityCheckMiddleware",
    "console.middleware.CorrelationMiddleware",
    # What the ones above store is none of the reader's.
    "console.middleware.StoredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["console.templatetags.console"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.context_processors.page",
                "operations.context_processors.unknown_alert",
            ],
        },
    }
]

FORM_RENDERER = "console.ui.forms.ConsoleRenderer"

# --- Database ---------------------------------------------------------------

_sqlite = f"sqlite:///{DATA_DIR / 'console.sqlite3'}"
DATABASES = {"default": env.database("DATABASE_URL", default=_sqlite)}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # Without WAL and IMMEDIATE, concurrent writers lose their transactions.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    if _database["NAME"] != ":memory:":
        private_files.narrow_database(Path(_database["NAME"]))
# Workers look for tasks several times a second: opening costs more than looking.
_database["CONN_MAX_AGE"] = 60
_database["CONN_HEALTH_CHECKS"] = True

# --- Background work --------------------------------------------------------

# Three queues, so that a write that hangs or a large file never keeps operations from
# being watched.
TASKS = {
    "default": {
        "BACKEND": env.text("TASKS_BACKEND", default="django_tasks_db.DatabaseBackend"),
        "QUEUES": ["sending", "watching", "files"],
    }
}

# --- Files ------------------------------------------------------------------

STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "files"},
    },
    "staticfiles": {"BACKEND": "console.static_files.ReadableStaticFiles"},
}
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
# Files are read past but where a view takes them. There an upload goes to disk as it
# comes, beside where it is kept: then it is only renamed.
FILE_UPLOAD_HANDLERS = ["console.uploads.NoFiles"]
DATA_UPLOAD_MAX_MEMORY_SIZE = SMALL_BODY
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "uploads"
# The form with the columns of a file has up to six fields a column, for 200 columns.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# --- Sign-in and security ---------------------------------------------------

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = ["console.sign_in.backend.Backend"]
PASSWORD_HASHERS = [
    "console.sign_in.hashers.Argon2PasswordHasher",
    # Of earlier versions: kept anew when its person signs in.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_OF_DJANGO = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_OF_DJANGO}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_OF_DJANGO}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_OF_DJANGO}.CommonPasswordValidator"},
    {"NAME": f"{_OF_DJANGO}.NumericPasswordValidator"},
    {"NAME": "console.sign_in.passwords.AnotherPassword"},
]
SESSION_ENGINE = "console.sign_in.session_store"
ACCOUNT_ADAPTER = "console.sign_in.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*"]
# An address of a person is what an admin typed, and opens nothing.
ACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_ADAPTER = "console.sign_in.oidc.SocialAccountAdapter"
# The way there is a link: a form that leads to another site is none of our policy's.
SOCIALACCOUNT_LOGIN_ON_GET = True
_OF_OIDC = {
    "provider_id": "oidc",
    "name": OIDC_NAME,
    "client_id": OIDC_CLIENT_ID,
    "secret": OIDC_CLIENT_SECRET,
    "settings": {"server_url": OIDC_ISSUER, "scope": OIDC_SCOPES},
}
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [_OF_OIDC] if OIDC_ISSUER else [],
    }
}
MFA_ADAPTER = "console.sign_in.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# The clocks of people's phones are right to half a minute.
MFA_TOTP_TOLERANCE = 1
CSRF_FAILURE_VIEW = "console.views.errors.csrf_failure"
# Beside that of version 0.1.0, whose sessions were kept elsewhere: while one replaces
# the other, who is signed in at both stays so.
SESSION_COOKIE_NAME = "console_session"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_SSL_REDIRECT = HTTPS_ONLY
# The load balancer asks for the health pages over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|livez|readyz)$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    # The UI kit draws its check marks and arrows as data: images.
    "img-src": [CSP.SELF, "data:"],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}

# --- Language and time ------------------------------------------------------

USE_I18N = False
USE_TZ = True

# --- Logging ----------------------------------------------------------------

# At DEBUG Django would log every query with its values.
_django_level = "INFO" if LOG_LEVEL == "DEBUG" else LOG_LEVEL

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "console.redaction.RedactingFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
        "json": {"()": "console.json_log.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if LOG_FORMAT == "json" else "line",
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": _django_level},
        "django.server": {"handlers": [], "propagate": True, "level": _django_level},
        # These two print addresses with their query strings, and headers.
        "httpx": {"level": "WARNING"},
        # Each time that a worker has done all its tasks it would say that it begins.
        "django_tasks_db": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
    },
}
