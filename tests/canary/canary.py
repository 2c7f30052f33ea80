#!/usr/bin/env python3
"""The secret of a test run: made anew for each, used wherever a secret may be anything, and looked for at the end in
all that the run has printed and logged.

    canary.py new                     prints one; ./dev puts it into STEPSTORE_TEST_CANARY
    canary.py search TRACE PLACE...   looks for it in files and folders. TRACE is the folder that STEPSTORE_TEST_TRACE
                                      named: log lines at the level trace, and who has used the secret

It is looked for as it is, URL-encoded, in base64 wherever it begins, and in hex. Exit status 1 when it is found; when a
copy of it that is planted in each of these ways is not found; and when no test has used it or nothing was logged.
"""

from __future__ import annotations

import base64
import inspect
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

# Characters that AWS's own secrets have, and that each spelling writes in another way.
SHAPE = "c4nary/+{}+/secret=="
WITHOUT_A_RUN = SHAPE.format("0fNoRunInParticular")
BLOCK = 1 << 20
# What the C++ programs and the command write at this level when something fails.
LOG_LINE = re.compile(rb"s3: key '.*', try \d+ of \d+")


def canary() -> str:
    """The secret of this run. Notes that this test has used it, or this file."""
    file = inspect.stack(0)[1].filename
    keep("canary.uses", os.environ.get("PYTEST_CURRENT_TEST", f"all of {Path(file).name}"))
    return os.environ.get("STEPSTORE_TEST_CANARY") or WITHOUT_A_RUN


def keep(name: str, *texts: str | bytes) -> None:
    """Appends to a file of the run, which is searched at its end; without a run, nothing."""
    if folder := os.environ.get("STEPSTORE_TEST_TRACE"):
        with (Path(folder) / name).open("ab") as file:
            file.write(b"".join(t.encode() if isinstance(t, str) else t for t in texts) + b"\n")


def core(secret: str) -> str:
    """The part of letters and digits alone, which most ways to write a secret leave as it is."""
    words: list[str] = re.findall("[A-Za-z0-9]+", secret)
    return max(words, key=len)


def inside_base64(secret: bytes, after: int) -> bytes:
    """What base64 makes of the secret behind so many bytes, less the characters where it meets its neighbours."""
    whole = base64.b64encode(b"x" * after + secret)
    return whole[(after * 8 + 5) // 6 : (after + len(secret)) * 8 // 6]


def spellings(secret: str) -> dict[str, bytes]:
    plain = secret.encode()
    encoded = quote(secret, safe="")
    small = re.sub("%..", lambda match: match[0].lower(), encoded)
    found = {"as it is": plain, "in part": core(secret).encode(), "URL-encoded": encoded.encode()}
    found["URL-encoded, small"] = small.encode()
    for after in range(3):
        found[f"base64 + {after}"] = inside_base64(plain, after)
        found[f"base64 + {after}, for URLs"] = found[f"base64 + {after}"].translate(bytes.maketrans(b"+/", b"-_"))
    found["hex"] = plain.hex().encode()
    found["HEX"] = plain.hex().upper().encode()
    return found


def found_in(data: bytes, secret: str) -> list[str]:
    """The spellings of the secret that the bytes hold."""
    return [name for name, spelled in spellings(secret).items() if spelled in data]


def files_in(places: list[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_file():
            yield place
        yield from sorted(path for path in place.rglob("*") if path.is_file() and not path.is_symlink())


def search_file(path: Path, secret: str) -> list[str]:
    forms = spellings(secret)
    longest = max(map(len, forms.values()))
    seen: set[str] = set()
    before = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            seen.update(name for name, spelled in forms.items() if spelled in before + block)
            before = (before + block)[-longest:]
    return [name for name in forms if name in seen]


def planted(secret: str) -> dict[str, bytes]:
    """Texts that hold the secret as messages and headers do, by the spelling that must be noticed in each."""
    plain = secret.encode()
    texts = {"as it is": plain, "in part": core(secret).encode(), "URL-encoded": quote(secret, safe="").encode()}
    texts["URL-encoded, small"] = spellings(secret)["URL-encoded, small"]
    for after in range(3):
        whole = base64.b64encode(b"user:"[: 3 + after] + plain + b":and more")
        texts[f"base64 + {after}"] = whole
        texts[f"base64 + {after}, for URLs"] = whole.translate(bytes.maketrans(b"+/", b"-_"))
    return texts | {"hex": plain.hex().encode(), "HEX": plain.hex().upper().encode()}


def controls(secret: str) -> list[str]:
    """What is wrong with the search itself: a planted secret that it misses, or another one that it takes for ours."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="stepstore-canary-") as folder:
        for name, text in planted(secret).items():
            file = Path(folder) / "planted"
            # Across the border of two blocks.
            file.write_bytes(b"noise " * (BLOCK // 6) + b"Authorization: " + text + b" more noise\n")
            if name not in search_file(file, secret):
                wrong.append(f"a secret planted {name} was not found")
        other = Path(folder) / "other"
        other.write_bytes(b"\n".join(planted(new()).values()))
        if search_file(other, secret):
            wrong.append("another secret was taken for this one")
    return wrong


def new() -> str:
    return SHAPE.format(secrets.token_hex(12))


def uses_in(trace: Path) -> list[str]:
    file = trace / "canary.uses"
    return sorted(set(file.read_text(errors="replace").splitlines())) if file.is_file() else []


def search(trace: Path, places: list[Path], secret: str) -> int:
    wrong = controls(secret)
    uses = [line for line in uses_in(trace) if not line.startswith("(")]
    if not uses:
        wrong.append("no test has used the secret: a search that finds nothing would mean nothing")
    bytes_read, files, logged = 0, 0, 0
    for path in files_in([trace, *places]):
        files += 1
        bytes_read += path.stat().st_size
        wrong += [f"{path} holds the secret, {name}" for name in search_file(path, secret)]
        if path.is_relative_to(trace):
            logged += len(LOG_LINE.findall(path.read_bytes()))
    if logged == 0:
        wrong.append(f"{trace} holds no line that was logged at the level trace")
    found = sum("holds the secret" in line for line in wrong)
    summary = (
        f"{found} occurrences in {files} files of {bytes_read / 1e6:.1f} MB, {logged} logged failures among them; "
        f"{len(uses)} tests and files have used the secret; {len(planted(secret))} planted ones were looked for"
    )
    print("\n".join([*wrong, summary]))
    return 1 if wrong else 0


def main(words: list[str]) -> int:
    if words == ["new"]:
        print(new())
        return 0
    if words[:1] != ["search"] or len(words) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    secret = os.environ.get("STEPSTORE_TEST_CANARY", "")
    if not secret:
        print("STEPSTORE_TEST_CANARY is not set: ./dev sets it", file=sys.stderr)
        return 2
    trace, *places = map(Path, words[1:])
    return search(trace, places, secret)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
