"""`make install-test`: docs/operating.md, typed on an empty Debian and then used.

Everything that is done there beside the document is in this file.
"""

import sys
from pathlib import Path

from tests.install.commands import commands
from tests.install.machine import Machine, need_root

HERE = Path(__file__).parent
HOST = "console.example.com"
PASSWORD = "the first one of an installation"
CERTIFICATE = f"/etc/ssl/{HOST}.pem"

# Debian starts what it installs, by systemd. And what is asked of a host comes from
# the network that it is in.
APT_GET = """#!/bin/sh
set -e
/usr/bin/apt-get "$@"
case $1 in install) systemctl start postgresql nginx ;; esac
"""
CURL = """#!/bin/sh
exec nsenter --net=/run/install-test/net /usr/bin/curl "$@"
"""
# Packages start nothing themselves while they are installed.
POLICY = "#!/bin/sh\nexit 101\n"

PROGRAMS = {
    "/usr/local/sbin/apt-get": APT_GET,
    "/usr/local/sbin/curl": CURL,
    "/usr/sbin/policy-rc.d": POLICY,
    "/usr/local/bin/systemctl": (HERE / "systemctl.py").read_text(),
    "/root/journey.py": (HERE / "journey.py").read_text(),
}

# As somebody types who looks at each answer, and stops where one is wrong.
BEFORE = f"""
set -euo pipefail
echo 127.0.0.1 {HOST} >> /etc/hosts
PS4='# '
set -x
"""
AFTER = f"""
systemctl is-active write-console.target write-console-sandbox
nsenter --net=/run/install-test/net \\
  $release/.venv/bin/python /root/journey.py https://{HOST} \\
  --admin admin '{PASSWORD}' --certificate {CERTIFICATE} \\
  --sandbox http://127.0.0.1:8900 --manifest $release/sandbox/amp.yaml
systemctl stop write-console.target write-console-sandbox nginx postgresql
"""


def main() -> int:
    need_root()
    machine = Machine.new("machine")
    for place, text in PROGRAMS.items():
        machine.write(place, text)
    machine.put_release("HEAD", "/root/write-console.tar.gz")
    script = "\n".join([BEFORE, *commands(), AFTER])
    asked = {"Password: ": PASSWORD, "Password (again): ": PASSWORD}
    code = machine.type(script, asked)
    if code:
        for log in sorted((machine.path / "var/log").glob("write-console-*.log")):
            sys.stdout.write(f"\n{log.name}:\n{log.read_text()[-4000:]}")
    sys.stdout.write(f"The documented installation {'failed' if code else 'works'}.\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
