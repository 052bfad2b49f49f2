"""Which process this is, for whoever asks afterwards who did something."""

import os
import socket

LONGEST = 150

_kind = "web"


def name_process(kind: str) -> None:
    """Say what this process is for, as "clock" or "worker sending"; "web" unless said.

    Commands that run for long call it first.
    """
    global _kind
    _kind = kind


def this_process() -> str:
    """Return what this process is called, as "clock on host-1, process 4711"."""
    return f"{_kind} on {socket.gethostname()}, process {os.getpid()}"[:LONGEST]
