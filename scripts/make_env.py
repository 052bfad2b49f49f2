"""Print a .env for one machine: fresh secrets, plain HTTP, a random demo password."""

import secrets
import sys

from cryptography.fernet import Fernet

sys.stdout.write(
    f"""\
# Made by `make run` for this machine. See .env.example for every variable.
SECRET_KEY={secrets.token_urlsafe(48)}
FIELD_KEYS={Fernet.generate_key().decode()}
AUDIT_KEYS={Fernet.generate_key().decode()}
DEMO_PASSWORD={secrets.token_urlsafe(9)}
HTTPS_ONLY=false
"""
)
