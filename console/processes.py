"""Which process this is, for whoever asks afterwards who did something."""

import os
import socket
import sys
from pathlib import Path

LONGEST = 150


def _kind_by_command(program: str, *words: str) -> str:
    """Return what manage.py was told to do, as "rqworker"; "web" for anything else."""
    return words[0] if words and Path(program).name == "manage.py" else "web"


_kind = _kind_by_command(*sys.argv)


def name_process(kind: str) -> None:
    """Say what this process is for, as "clock" or "worker sending".

    Our commands that run for long call it first. Others go by their command.
    """
    global _kind
    _kind = kind


def this_process() -> str:
    """Return what this process is called, as "clock on host-1, process 4711"."""
    return f"{_kind} on {socket.gethostname()}, process {os.getpid()}"[:LONGEST]
