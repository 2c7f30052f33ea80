#!/usr/bin/env python3
"""Installs real S3 servers, runs a command beside them, and stops them whatever happens.

    tests/servers/servers.py run NAME... -- COMMAND...   the command's exit status; without a command: until ctrl-C
    tests/servers/servers.py list [--json]               which servers there are, and what each does not do
    tests/servers/servers.py install NAME...             what is missing of them, but for Ceph and our own
    tests/servers/servers.py installed NAME...           says what is missing; exit status 1 when something is
    tests/servers/servers.py where moto|versitygw        its folder; bin/python in moto's has boto3

The command finds the servers in STEPSTORE_TEST_SERVERS, a JSON list of objects with
    name, endpoint, region, bucket, versioned_bucket, uri, access_key, secret_key, traits (catalogue.py tells each),
and the keys, which are the same for all, also in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Both buckets are empty;
versioned_bucket is null where the server keeps no versions.
Exit status: the command's; 128 + n when it or this was ended by signal n; 125 when a server failed; 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

from catalogue import KINDS, TRAITS
from install import folder_of, install, missing
from launch import Ports, ServerError, die_with_parent, stop_all
from signed import S3
from start import ACCESS_KEY, SECRET_KEY, Starter

BUCKET = "stepstore-test"
VERSIONED_BUCKET = "stepstore-versioned"
VERSIONING = (
    b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Status>Enabled</Status></VersioningConfiguration>"
)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SERVER_FAILED = 125


class SignalledError(Exception):
    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


def on_signal(number: int, _: FrameType | None) -> NoReturn:
    ignore_signals()  # a second one must not interrupt the stopping
    raise SignalledError(number)


def ignore_signals() -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def say(text: str) -> None:
    print(f"servers.py: {text}", file=sys.stderr, flush=True)


# --- The command ---


def must(s3: S3, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b"") -> None:
    answer = s3.request(method, path, query, body=body)
    if answer.status != 200:
        text = answer.body.decode(errors="replace")
        raise ServerError(f"{s3.endpoint} answered {answer.status} to {method} {path}: {text}")


def make_buckets(s3: S3, versions: bool) -> None:
    must(s3, "PUT", f"/{BUCKET}")
    if not versions:
        return
    must(s3, "PUT", f"/{VERSIONED_BUCKET}")
    must(s3, "PUT", f"/{VERSIONED_BUCKET}", {"versioning": ""}, VERSIONING)


def has_versions(name: str) -> bool:
    return "no-versioning" not in KINDS[name].traits


def described(name: str, s3: S3) -> dict[str, object]:
    return {
        "name": name,
        "endpoint": s3.endpoint,
        "region": s3.region,
        "bucket": BUCKET,
        "versioned_bucket": VERSIONED_BUCKET if has_versions(name) else None,
        "uri": f"s3://{BUCKET}/?endpoint={s3.endpoint}&region={s3.region}",
        "access_key": s3.access_key,
        "secret_key": s3.secret_key,
        "traits": sorted(KINDS[name].traits),
    }


def command_environment(servers: list[dict[str, object]]) -> dict[str, str]:
    """Ours, less what would lead a client elsewhere: other credentials, other endpoints, proxies."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    mine["AWS_ACCESS_KEY_ID"], mine["AWS_SECRET_ACCESS_KEY"] = ACCESS_KEY, SECRET_KEY
    mine["AWS_EC2_METADATA_DISABLED"] = "true"
    mine["AWS_CONFIG_FILE"] = mine["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    for name in ("no_proxy", "NO_PROXY"):
        mine[name] = ",".join(filter(None, [mine.get(name), "127.0.0.1"]))
    mine["STEPSTORE_TEST_SERVERS"] = json.dumps(servers)
    return mine


def run_command(command: list[str], environment: dict[str, str], grace: float) -> int:
    """Its exit status as a shell counts. A signal that ends us ends it too."""
    # At a terminal it stays in our process group, so that it may read there and ctrl-C reaches it at once.
    terminal = sys.stdin.isatty()
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            process_group=None if terminal else 0,
            preexec_fn=die_with_parent,  # noqa: PLW1509
        )
    except OSError as error:
        say(f"cannot run {command[0]}: {error.strerror}")
        return 127 if isinstance(error, FileNotFoundError) else 126
    try:
        status = process.wait()
    except SignalledError as signalled:
        end_command(process, signalled.number, terminal, grace)
        raise
    return status if status >= 0 else 128 - status


def end_command(process: subprocess.Popen[bytes], number: int, terminal: bool, grace: float) -> None:
    def send(which: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if terminal:
                process.send_signal(which)
            else:
                os.killpg(process.pid, which)

    # The terminal has sent its ctrl-C to the command as well.
    if not (terminal and number == signal.SIGINT):
        send(number)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        say(f"the command did not end within {grace:g} s; killing it")
    send(signal.SIGKILL)
    process.wait()


# --- The servers around it ---


def run(names: list[str], command: list[str], keep: bool, grace: float) -> int:
    for name in names:
        if why := missing(name):
            say(f"{name}: {why}")
            return SERVER_FAILED
    # Named before it is made, so that a signal in between cannot leave it behind.
    folder = Path(tempfile.gettempdir()) / f"stepstore-servers-{secrets.token_hex(6)}"
    ports = Ports()
    starter = Starter(ports)
    try:
        return serve(starter, folder, names, command, grace)
    except SignalledError as signalled:
        return 128 + signalled.number
    except (ServerError, OSError) as error:
        say(str(error))
        return SERVER_FAILED
    finally:
        stop_all(starter.programs)
        ports.release()
        if keep:
            say(f"the servers' files are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def serve(starter: Starter, folder: Path, names: list[str], command: list[str], grace: float) -> int:
    """Starts the servers and runs the command. However it ends, no signal interrupts what comes after it."""
    try:
        for each in SIGNALS:
            signal.signal(each, on_signal)
        folder.mkdir(mode=0o700)
        servers = []
        for name in names:
            (folder / name).mkdir()
            s3 = starter.start(name, folder / name)
            make_buckets(s3, has_versions(name))
            servers.append(described(name, s3))
        if not command:
            wait_for_signal(servers)
        status = run_command(command, command_environment(servers), grace)
        for program in starter.programs:
            program.check()
        return status
    finally:
        ignore_signals()


def wait_for_signal(servers: list[dict[str, object]]) -> NoReturn:
    print(json.dumps(servers, indent=2), flush=True)
    say("running until ctrl-C")
    while True:
        signal.pause()


def list_servers(as_json: bool) -> int:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # so that `| head` is no error
    if as_json:
        kinds = [
            {"name": kind.name, "version": kind.version, "why": kind.why, "traits": sorted(kind.traits)}
            for kind in KINDS.values()
        ]
        print(json.dumps({"servers": kinds, "traits": TRAITS}, indent=2))
        return 0
    for kind in KINDS.values():
        state = missing(kind.name)
        print(f"{kind.name} {kind.version}: {kind.why}")
        print(f"  {'not to be started: ' + state if state else 'can be started'}")
        for trait in TRAITS:
            if trait in kind.traits:
                print(f"  {trait:34} {TRAITS[trait]}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    running = actions.add_parser("run", help="run a command beside servers")
    running.add_argument("--keep", action="store_true", help="keep the servers' files, and say where they are")
    running.add_argument(
        "--grace", type=float, default=10, help="seconds that the command has to end after a signal (default: 10)"
    )
    listing = actions.add_parser("list", help="say which servers there are")
    listing.add_argument("--json", action="store_true", help="for programs")
    for action in (
        running,
        actions.add_parser("install", help="install servers"),
        actions.add_parser("installed", help="say what is missing"),
    ):
        action.add_argument("names", nargs="+", metavar="NAME", choices=list(KINDS), help=", ".join(KINDS))

    where = actions.add_parser("where", help="print the folder of a server")
    where.add_argument("name", choices=["moto", "versitygw"])

    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    given, command = parser.parse_args(words[:at]), words[at + 1 :]
    if at < len(words) and (given.action != "run" or not command):
        parser.error("-- stands before the command of run")
    if given.action == "run" and len(set(given.names)) < len(given.names):
        parser.error("a server is named twice")
    return act(given, command)


def act(given: argparse.Namespace, command: list[str]) -> int:
    if given.action == "run":
        return run(given.names, command, given.keep, given.grace)
    if given.action == "list":
        return list_servers(given.json)
    if given.action == "where":
        print(folder_of(given.name))
        return 0
    if given.action == "installed":
        return tell_missing(given.names)
    try:
        for name in given.names:
            install(name)
    except ServerError as error:
        say(str(error))
        return 1
    return 0


def tell_missing(names: list[str]) -> int:
    gaps = {name: why for name in names if (why := missing(name))}
    for name, why in gaps.items():
        say(f"{name}: {why}")
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main())
