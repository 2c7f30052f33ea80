"""Runs clang-tidy over every source file of the builds: tidy.py [--jobs N] [--minutes M] --cache FOLDER BUILD...

A file that was clean is not looked at again until its text, a header of the project that it includes, its
compiler flags, the checks or clang-tidy itself have changed: the cache holds one empty file per clean state.

The files that were changed last come first. With --minutes none is begun after that time, and the number of those
that were left for the next run is printed: in a fresh clone, where none is known, all take a quarter of an hour.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-19"


@functools.cache
def digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def headers_by_object(build: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """What ninja saw each object include, of the project's own files."""
    text = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True, check=True)
    found: dict[str, list[pathlib.Path]] = {}
    name = ""
    for line in text.stdout.splitlines():
        if line.startswith(" "):
            path = (build / line.strip()).resolve()
            if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build") and path.is_file():
                found[name].append(path)
        elif ": " in line:
            name = line.partition(":")[0]
            found[name] = []
    return found


def state_of(entry: dict[str, str], headers: list[pathlib.Path], version: str) -> str:
    parts = [version, entry["file"], entry["command"], digest(ROOT / ".clang-tidy")]
    parts += [f"{path} {digest(path)}" for path in sorted({pathlib.Path(entry["file"]), *headers})]
    # Another clone of the same text is in the same state.
    return hashlib.sha256("\n".join(parts).replace(f"{ROOT}/", "").encode()).hexdigest()


def newest_first(files: list[str]) -> list[str]:
    """What is not committed, then by the last commit that touched each."""

    def git(*words: str) -> list[str]:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()

    order: dict[str, int] = {}
    for name in [*git("diff", "--name-only", "HEAD"), *git("log", "--format=", "--name-only")]:
        order.setdefault(str(ROOT / name), len(order))
    return sorted(files, key=lambda file: (order.get(file, -1), file))


def look(file: str, build: pathlib.Path, mark: pathlib.Path) -> str:
    """What clang-tidy says; empty when the file is clean, and then it is marked so."""
    command = ["nice", TIDY, "--quiet", "-p", str(build), "--extra-arg=-Wno-unknown-warning-option", file]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if run.returncode == 0:
        mark.touch()
        return ""
    # One that crashes may say nothing, and has found nothing clean.
    return run.stdout + run.stderr or f"clang-tidy ended with status {run.returncode}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("builds", type=pathlib.Path, nargs="+")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, text=True, check=True).stdout

    work: dict[str, tuple[pathlib.Path, pathlib.Path]] = {}
    for build in options.builds:
        headers = headers_by_object(build)
        for entry in json.loads((build / "compile_commands.json").read_text()):
            file = pathlib.Path(entry["file"])
            inside = file.is_relative_to(ROOT) and not file.is_relative_to(ROOT / "build")
            if not inside or entry["file"] in work:
                continue
            words = shlex.split(entry["command"])
            object_name = entry.get("output") or words[words.index("-o") + 1]
            mark = options.cache / state_of(entry, headers.get(object_name, []), version)
            work[entry["file"]] = (build, mark)

    pending = {file: where for file, where in work.items() if not where[1].exists()}
    print(f"{len(work)} files, {len(work) - len(pending)} known to be clean", flush=True)
    findings: list[str] = []
    left = 0
    begun = time.monotonic()

    def look_in_time(file: str) -> str | None:
        return look(file, *pending[file]) if time.monotonic() - begun < 60 * options.minutes else None

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = {pool.submit(look_in_time, file): file for file in newest_first(list(pending))}
        for done, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            said = job.result()
            if said is None:
                left += 1
                continue
            name = pathlib.Path(jobs[job]).relative_to(ROOT)
            print(f"[{done}/{len(jobs)}, {time.monotonic() - begun:.0f} s] {name}", flush=True)
            if said:
                findings.append(said)
    # Last, where whoever shows the end of this page shows them.
    print(*findings, sep="\n")
    if left:
        print(f"{left} files were not looked at for want of time; `./dev lint` looks at all of them")
    print(f"{len(findings)} files with findings")
    return 1 if findings or not work else 0


if __name__ == "__main__":
    sys.exit(main())
