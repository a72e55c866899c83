"""What the runs ran on: stands in the report, since absolute times say something about this machine alone."""

import os
import re
import resource
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
# A server has a socket for each client, and so has the generator.
DESCRIPTORS = 65_536


def processors() -> list[int]:
    """Those that this process may run on."""
    return sorted(os.sched_getaffinity(0))


def raise_descriptor_limit() -> None:
    """For the children: 10,000 clients need more than the usual limit. Without the right to, what is allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, DESCRIPTORS), max(hard, DESCRIPTORS)))
    except (OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def coturn_version(program: str) -> str:
    """Releases before 4.6 know no --version; their help begins with it."""
    for option in ("--version", "-h"):
        asked = subprocess.run([program, option], capture_output=True, text=True)
        if found := re.search(r"\d+\.\d+[.\w]*", asked.stdout + asked.stderr):
            return found[0]
    return "of unknown version"


def file_system(directory: Path) -> str | None:
    """The kind that a directory lies on: whether a sync reaches a disk depends on it."""
    command = ["findmnt", "--noheadings", "--output", "FSTYPE", "--target", str(directory)]
    try:
        asked = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return asked.stdout.strip() or None


def facts() -> dict[str, Any]:
    information = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*:\s*(.+)$", information, re.MULTILINE)
    return {
        "cpu": model[1] if model else os.uname().machine,
        "virtual": bool(re.search(r"^flags\s*:.*\bhypervisor\b", information, re.MULTILINE)),
        "processors": processors(),
        "kernel": f"{os.uname().sysname} {os.uname().release}",
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _commit() -> str | None:
    command = ["git", "-C", REPOSITORY, "describe", "--always", "--dirty", "--exclude=*"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return asked.stdout.strip() or None
