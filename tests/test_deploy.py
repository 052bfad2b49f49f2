"""Dockerfile, Compose, Kubernetes and systemd: the same processes, told the same."""

import os
import re
import shutil
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from console import VERSION
from tests.install.commands import commands, section
from tests.test_configuration import read_in_code

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
# What a process is told to do, whatever stands before and after it.
KINDS = re.compile(r"worker --queue (\w+)|manage\.py (clock)|(gunicorn)")
PROCESSES = {"gunicorn", "clock", *settings.TASKS["default"]["QUEUES"]}


def kind_of(command: str) -> str:
    found = KINDS.search(command)
    assert found, command
    return next(filter(None, found.groups()))


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return found


def manifests() -> list[dict[str, Any]]:
    paths = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return [each for path in paths for each in yaml.safe_load_all(path.read_text())]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [each for each in manifests() if each["kind"] in kinds]


def pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for each in of_kind("Deployment", "Job")]


def of_console() -> dict[str, dict[str, Any]]:
    """Return the services of Compose that run the console's image."""
    services: dict[str, dict[str, Any]] = compose()["services"]
    return {name: each for name, each in services.items() if "build" in each}


def unit_settings(path: Path) -> dict[str, str]:
    lines = [line.partition("=") for line in path.read_text().splitlines()]
    return {name: value for name, is_setting, value in lines if is_setting}


def documented() -> list[str]:
    """Return the processes that docs/operating.md lists for several machines."""
    return [
        line
        for line in section("Several machines").splitlines()
        if re.match(r"gunicorn|manage\.py (worker|clock)", line)
    ]


# --- Which processes there are ----------------------------------------------------


def test_the_document_lists_every_process() -> None:
    assert {kind_of(line) for line in documented()} == PROCESSES


def test_systemd_starts_every_process() -> None:
    wanted = " ".join(
        line.partition("=")[2]
        for line in (UNITS / "write-console.target").read_text().splitlines()
        if line.startswith("Wants=")
    ).split()
    files = {re.sub(r"@\d+", "@", name) for name in wanted}
    started = [kind_of((UNITS / name).read_text()) for name in files]
    assert set(started) == PROCESSES
    assert len(started) == len(PROCESSES)
    assert sum("sending" in name for name in wanted) >= 2


def test_compose_starts_every_process() -> None:
    image = (ROOT / "Dockerfile").read_text().rpartition("CMD ")[2]
    started = {
        name: " ".join(each.get("command", [image]))
        for name, each in of_console().items()
    }
    assert started.pop("migrate") == "python manage.py migrate"
    assert {kind_of(command) for command in started.values()} == PROCESSES
    assert len(started) == len(PROCESSES)
    assert of_console()["sending"]["deploy"]["replicas"] >= 2


def test_kubernetes_has_a_deployment_for_every_process_and_a_job_to_migrate() -> None:
    started = {
        each["metadata"]["name"]: " ".join(
            each["spec"]["template"]["spec"]["containers"][0]["command"]
        )
        for each in of_kind("Deployment")
    }
    assert {kind_of(command) for command in started.values()} == PROCESSES
    assert len(started) == len(PROCESSES)
    (job,) = of_kind("Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "manage.py", "migrate"]


# --- What they are told -----------------------------------------------------------


def test_only_variables_that_there_are_are_set() -> None:
    lines = "\n".join([*commands(), (DEPLOY / "compose/settings.env").read_text()])
    documented = set(re.findall(r"^(?:echo )?([A-Z_]+)=", lines, re.MULTILINE))
    (config,) = of_kind("ConfigMap")
    given = documented | config["data"].keys()
    for each in of_console().values():
        given |= each["environment"].keys()
    assert {name.removesuffix("_FILE") for name in given} <= read_in_code()


def test_secrets_are_files_everywhere() -> None:
    secret = {"DATABASE_URL", "SECRET_KEY", "FIELD_KEYS", "AUDIT_KEYS"}
    as_files = {f"{name}_FILE" for name in secret}
    (config,) = of_kind("ConfigMap")
    assert as_files <= config["data"].keys()
    assert not secret & config["data"].keys()
    names = {f"{name.lower().replace('_', '-')}" for name in secret}
    for each in of_console().values():
        assert each["environment"].keys() == as_files
        assert set(each["secrets"]) == names
    assert names <= compose()["secrets"].keys()


def test_they_have_the_time_that_they_need_to_stop() -> None:
    """A worker takes up to 30 seconds to finish or hand back what it holds."""
    common = unit_settings(UNITS / "write-console-.service.d/common.conf")
    assert int(common["TimeoutStopSec"]) == 35
    assert {each["stop_grace_period"] for each in of_console().values()} == {"35s"}
    assert {each["terminationGracePeriodSeconds"] for each in pods()} == {35}


def test_they_may_do_no_more_than_they_must() -> None:
    common = unit_settings(UNITS / "write-console-.service.d/common.conf")
    wanted = {"UMask": "0077", "ProtectSystem": "strict", "NoNewPrivileges": "yes"}
    assert common.items() >= (wanted | {"User": "write-console"}).items()
    for service in of_console().values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"]
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_the_image_has_one_user_everywhere() -> None:
    text = (ROOT / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE)
    assert {str(pod["securityContext"]["runAsUser"]) for pod in pods()} == {user}


def test_the_last_stage_of_the_image_builds_nothing() -> None:
    last = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert "apt-get" not in last
    assert "pip" not in last


def test_the_image_has_certificates_to_verify_others_by() -> None:
    """Debian's own are in no slim image; mail, the S3 store and doctor need them."""
    last = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    (path,) = re.findall(r"SSL_CERT_FILE=(\S+)", last)
    assert f"COPY --from=build {path} " in last


def test_the_image_has_all_code_that_there_is() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    apps = {app.partition(".")[0] for app in settings.INSTALLED_APPS}
    ours = {app for app in apps if (ROOT / app).is_dir()}
    assert copied == {*ours, "ampersand", "files", "templates", "static"}
    assert copied <= {line.removeprefix("!") for line in ignored}


def test_the_version_is_the_one_that_this_is() -> None:
    images = {pod["containers"][0]["image"] for pod in pods()}
    images |= {each["image"] for each in of_console().values()}
    assert images == {f"write-console:{VERSION}"}
    assert f"release=/opt/write-console/{VERSION}\n" in "".join(commands())


def test_a_web_that_has_no_workers_is_still_reached() -> None:
    """An upgrade stops them, and people work on meanwhile."""
    (web,) = (pod for pod in pods() if "ports" in pod["containers"][0])
    probe = web["containers"][0]["readinessProbe"]["httpGet"]["path"]
    assert probe == "/healthz"


def test_every_ingress_does_what_a_proxy_has_to_do() -> None:
    """ingress-nginx buffers no answers by itself, and logs queries."""
    ingresses = of_kind("Ingress")
    assert ingresses
    for each in ingresses:
        told = {
            name.rpartition("/")[2]: value
            for name, value in each["metadata"]["annotations"].items()
        }
        assert told["proxy-buffering"] == "on"
        assert told["enable-access-log"] == "false"
        assert told["proxy-connect-timeout"] == "5"
        assert told["proxy-read-timeout"] == "60"


# --- That they are what they say ----------------------------------------------------


def test_every_path_of_the_commands_is_in_the_repository() -> None:
    paths = re.findall(
        r"\$release/((?:deploy|sandbox|requirements)[\w./-]*)", "".join(commands())
    )
    assert paths
    assert [path for path in paths if not (ROOT / path.rstrip(".")).exists()] == []


def analyze(*command: str) -> subprocess.CompletedProcess[str]:
    """Have systemd read the units as they lie here."""
    return subprocess.run(
        ["systemd-analyze", *command],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{UNITS}:"},
        capture_output=True,
        text=True,
    )


has_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="needs systemd"
)


@has_systemd
def test_systemd_takes_the_units() -> None:
    kinds = ("target", "service", "socket")
    units = chain.from_iterable(UNITS.glob(f"*.{kind}") for kind in kinds)
    done = analyze("verify", *(path.name.replace("@.", "@1.") for path in units))
    ours = [line for line in done.stderr.splitlines() if "write-console" in line]
    assert ours == []
    assert done.returncode == 0, done.stderr


@has_systemd
def test_systemd_finds_every_unit_well_confined() -> None:
    units = [path.name.replace("@.", "@1.") for path in UNITS.glob("*.service")]
    assert units
    # 2.0 of 10, where 10 is a service without any sandbox.
    threshold = ("security", "--offline=true", "--no-pager", "--threshold=20")
    for unit in units:
        done = analyze(*threshold, unit)
        assert done.returncode == 0, done.stdout
