"""Fail where a pinned dependency has a known vulnerability.

`audit_dependencies.py FILE [OPTION…]` has pip-audit ask OSV about every version that
the requirements file pins; options go to pip-audit. Where OSV does not answer, it says
that it did not look and exits 0: nobody's work shall stop because a network is away.
"""

import subprocess
import sys
from collections.abc import Sequence

# Pinned with hashes, so nothing needs to be resolved or installed to know the versions.
# OSV and not the package index: mirrors of the index rarely carry vulnerabilities, and
# pip-audit would then skip every package and call that a success.
PIP_AUDIT = [
    sys.executable,
    "-m",
    "pip_audit",
    "--disable-pip",
    "--progress-spinner=off",
    "--vulnerability-service=osv",
    "--timeout=10",
    "--requirement",
]
# What pip-audit's log says when the service did not answer, or not readably.
NO_ANSWER = ("requests.exceptions.", "ServiceError", "Could not connect to OSV")


def main(arguments: Sequence[str], seconds: float = 60) -> int:
    """Look for at most so many seconds; return 0 where nothing is known, else 1."""
    try:
        done = subprocess.run(  # nosec B603 # noqa: S603 - our own command
            [*PIP_AUDIT, *arguments],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _did_not_look(f"no end after {seconds:g} s")
    if any(sign in done.stderr for sign in NO_ANSWER):
        return _did_not_look(done.stderr.strip().splitlines()[-1])
    sys.stdout.write(done.stdout + done.stderr)
    return done.returncode


def _did_not_look(reason: str) -> int:
    sys.stdout.write(f"Did NOT look for known vulnerabilities: {reason}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
