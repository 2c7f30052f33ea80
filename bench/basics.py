"""What all measurements share: where things lie, the recordings, and what machine this is."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
SERVER = BUILD / "bench" / "testing" / "fault_server" / "stepstore-fault-server"
PEERS_BIN = BUILD / "venv-peers" / "bin"  # where the other clients are

SMALL_STEPS, LARGE_STEPS = "pg-tour", "pydoc-tour"  # 151 kB a step, and 706 kB
RECORDINGS = (SMALL_STEPS, LARGE_STEPS)


def unpack(recording: str, work: Path) -> Path:
    """The folder of a bundled recording, which has a folder for each step."""
    subprocess.run(["tar", "--zstd", "-xf", ROOT / "samples" / f"{recording}.tar.zst", "-C", work], check=True)
    return work / recording


def step_kb(recording: Path) -> float:
    """The average size of a step."""
    total = sum(file.stat().st_size for file in recording.rglob("*") if file.is_file())
    return total / len(list(recording.iterdir())) / 1000


def machine(folder: Path = ROOT) -> str:
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), "")
    kind = subprocess.run(
        ["findmnt", "-no", "FSTYPE", "-T", folder], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({model or platform.machine()}), {memory:.0f} GiB of memory, {kind}, "
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"
    )


def missing(programs: tuple[Path, ...]) -> str:
    """What to say when one of them cannot be run; empty when all can."""
    gone = [str(program) for program in programs if not os.access(program, os.X_OK)]
    return (
        f"{', '.join(gone)}: not there. ./dev bench builds and installs it; options say where else it is"
        if gone
        else ""
    )
