"""Settings of the tests: the console's own, with an environment of their own."""

import atexit
import os
import shutil
import tempfile

# Each process has its own.
_data = tempfile.mkdtemp(prefix="write-console-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)

os.environ.update(
    SECRET_KEY="only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
    FIELD_KEYS="A3nKxG4dpVQyIvUk4DgbmsAzXBiTaQZbkdcHBvnTzDY=",
    AUDIT_KEYS="",
    HTTPS_ONLY="false",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    MACHINES="1",
    SEND_TIMEOUT="5",
    REPEAT_DAYS="7",
    UNKNOWN_ALERT_MINUTES="60",
    TIME_ZONE="UTC",
    DEBUG="false",
    LOG_LEVEL="INFO",
    SENTRY_DSN="",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", "sqlite://:memory:"),
    # Every variable is set, since a .env beside manage.py would fill the gaps.
    CSRF_TRUSTED_ORIGINS="",
    TRUST_PROXY="false",
    PROXY_COUNT="1",
    SESSION_HOURS="12",
    SESSION_IDLE_MINUTES="120",
    SECOND_FACTOR_FOR="",
    IDENTITY_CHECK_FOR="",
    IDENTITY_CHECK_MINUTES="15",
    OIDC_ISSUER="",
    OIDC_CLIENT_ID="",
    OIDC_CLIENT_SECRET="",
    OIDC_NAME="",
    OIDC_SCOPES="",
    OIDC_GROUPS_CLAIM="",
    OIDC_GROUPS="",
    OIDC_HAS_SECOND_FACTOR="false",
    DATA_DIR=_data,
    PORT="8000",
    SANDBOX_PORT="8900",
    DEMO_PASSWORD="",
    PUBLIC_URL="",
    # Hosts that no name server knows; tests with a server of their own allow it.
    API_HOSTS="sandbox.invalid,elsewhere.invalid,other.invalid,127.0.0.1:8900",
    PRIVATE_HOSTS="",
    EMAIL_URL="",
    EMAIL_FROM="",
    CONSOLE_URL="",
    S3_BUCKET="",
    S3_ENDPOINT="",
    S3_REGION="us-east-1",
    S3_ACCESS_KEY="",
    S3_SECRET_KEY="",
    S3_PREFIX="",
    KEEP_DAYS_SANDBOX="30",
    KEEP_DAYS_TEST="30",
    KEEP_DAYS_PRODUCTION="90",
    KEEP_LOGS_DAYS_SANDBOX="30",
    KEEP_LOGS_DAYS_TEST="30",
    KEEP_LOGS_DAYS_PRODUCTION="90",
    LOG_DAYS_AT_AMPERSAND="7",
    DRAFTS_MIB="5120",
    API_PER_MINUTE="120",
    KEEP_FREE_MIB="0",
    TASKS_BACKEND="django.tasks.backends.dummy.DummyBackend",
)

from console.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
# Nothing is collected here; the browser tests serve the collected files for real.
MIDDLEWARE.remove("whitenoise.middleware.WhiteNoiseMiddleware")  # noqa: F405
