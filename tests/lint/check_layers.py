"""Checks the shape of the code: who may include what, who may spell keys and read the environment, dead files.

Run it without arguments, or with the root of another tree. Prints one line per violation, says how many
files it has read, and exits with 1 when there is a violation.
"""

import pathlib
import re
import sys
from collections.abc import Iterator

# The architecture: each folder, and the folders whose headers it may include. Its own are always allowed.
# `stepstore` is include/stepstore, the public API.
MAY_INCLUDE = {
    "include/stepstore": set[str](),
    "src/base": {"stepstore"},
    "src/model": {"stepstore", "base"},
    "src/layout": {"stepstore", "base", "model"},
    "src/http": {"stepstore", "base"},
    "src/s3": {"stepstore", "base", "http"},
    "src/store": {"stepstore", "base", "model", "layout", "http", "s3"},
    "src/check": {"stepstore", "base", "model", "layout"},
    "src/spool": {"stepstore", "base", "model"},
    "src/manager": {"stepstore", "base", "model", "layout", "check", "spool"},
    "src/open": {"stepstore", "base", "model", "layout", "http", "s3", "store", "check", "spool", "manager"},
    "testing": {"stepstore", "base", "model", "layout", "http", "s3", "store", "check", "spool"},
    "cli": {"stepstore"},
    "python": {"stepstore"},
}
# Tests, and what only they include, may use every layer and the testing library.
TEST_FILE = re.compile(r"_(test|fixture)\.(h|cc)$")
# Programs beside the product.
UNRESTRICTED = ("tests/", "bench/", "examples/")

STANDARD_C = (
    r"(assert|dirent|errno|fcntl|immintrin|poll|pthread|sched|signal|time|unistd|sys/[a-z]+|linux/[a-z]+|arm_[a-z]+)\.h"
)
# Headers in angle brackets that are neither C++'s (no dot) nor the system's belong to a vendor.
SYSTEM_HEADER = re.compile(rf"[a-z_0-9]+|{STANDARD_C}")

# String literals that are part of a key. Only src/layout spells them.
KEY_PART = re.compile(
    r'"[^"]*(step\.json|\.stepstore/|observation\.|screenshot\.|action\.json|metadata\.json|format\.json|versions/)'
)
# The conformance cases are tests that ship with the product; the keys in them are examples.
KEYS_ALLOWED_IN = ("src/layout/", "src/check/conformance", "tests/", "bench/", "examples/", "include/")
# cli/ names the files of the trees that import takes and export writes; they look like a step in a store,
# but are the command's own promise. What only a store holds stays with src/layout.
STORE_ONLY = re.compile(r'"[^"]*(step\.json|\.stepstore/|format\.json|versions/)')

# What a directory has beside objects, in its control folder: locks, half-written steps, trash. No other store has them.
CONTROL_FOLDER_IN = "src/store/local/"

GETENV = re.compile(r"\b(secure_)?getenv\s*\(|\benviron\b")
# The command asks about its terminal (NO_COLOR, TERM) and how much to log; the conformance suite for its seed.
GETENV_ALLOWED_IN = ("src/open/", "cli/", "testing/", "tests/", "bench/", "examples/")

COMMENT = re.compile(r'(?<![:"])//.*$')
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCE_ROOTS = ("include", "src", "cli", "python", "testing", "tests", "bench", "examples")


def sources(root: pathlib.Path) -> Iterator[tuple[str, str]]:
    """Path from the root, with text, of every C++ file."""
    for name in SOURCE_ROOTS:
        for path in sorted((root / name).rglob("*")):
            if path.suffix in (".h", ".cc") and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def layer_of(path: str) -> str | None:
    return next((layer for layer in MAY_INCLUDE if path.startswith(layer + "/")), None)


def is_test(path: str) -> bool:
    return path.startswith(UNRESTRICTED) or bool(TEST_FILE.search(path))


def code_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, without // comments."""
    for number, line in enumerate(text.splitlines(), 1):
        yield number, COMMENT.sub("", line) if "//" in line else line


def target_of(header: str, own: str) -> str:
    """Which folder of the table an included header is in."""
    folder = header.split("/", maxsplit=1)[0]
    if "/" in header and ("src/" + folder in MAY_INCLUDE or folder in ("stepstore", "testing", "cli", "python")):
        return folder
    # A name without a folder, or below the file's own folder.
    return own.rsplit("/", 1)[-1] if not header.startswith("..") else header


def check_include(path: str, quote: str, header: str) -> str | None:
    layer = layer_of(path)
    if layer is None:
        return None if is_test(path) else "lies in no folder of the table in tests/lint/check_layers.py"
    if quote == "<":
        if layer == "include/stepstore" and not SYSTEM_HEADER.fullmatch(header):
            return f"a public header includes <{header}>: public headers name no other library"
        return None
    if layer == "include/stepstore" and not header.startswith("stepstore/"):
        return f'a public header includes "{header}": public headers include only public headers'
    if is_test(path):
        return None
    own = layer.rsplit("/", 1)[-1]
    target = target_of(header, own)
    if target != own and target not in MAY_INCLUDE[layer]:
        allowed = ", ".join(sorted(MAY_INCLUDE[layer])) or "nothing"
        return f'includes "{header}": {layer} may include {allowed}'
    return None


def check_line(path: str, line: str) -> str | None:
    if "env" in line and GETENV.search(line) and not path.startswith(GETENV_ALLOWED_IN) and not is_test(path):
        return "reads the environment: only src/open does"
    if is_test(path) or path.startswith(KEYS_ALLOWED_IN):
        return None
    if '"' not in line:
        return None
    if path.startswith(CONTROL_FOLDER_IN):
        line = line.replace('".stepstore/', '"')
    spelled = (STORE_ONLY if path.startswith("cli/") else KEY_PART).search(line)
    return f"spells {spelled.group(1)!r}: only src/layout spells keys" if spelled else None


def check_file(path: str, text: str) -> Iterator[str]:
    if path.endswith(".h") and "#pragma once" not in text:
        yield f"{path}: a header without #pragma once"
    for number, line in code_lines(text):
        included = INCLUDE.match(line)
        wrong = check_include(path, *included.groups()) if included else check_line(path, line)
        if wrong:
            yield f"{path}:{number}: {wrong}"


def named_in_cmake(root: pathlib.Path, path: str) -> bool:
    """Whether the CMakeLists.txt of the file's folder, or of one above, lists the file."""
    file = root / path
    for folder in file.parents:
        lists = folder / "CMakeLists.txt"
        if lists.is_file():
            words = re.split(r"[\s()]+", re.sub(r"#.*", "", lists.read_text(encoding="utf-8")))
            if file.relative_to(folder).as_posix() in words:
                return True
        if folder == root:
            break
    return False


def dead_files(root: pathlib.Path, files: dict[str, str]) -> Iterator[str]:
    lines = (line for text in files.values() for _, line in code_lines(text))
    included = {match[2] for match in map(INCLUDE.match, lines) if match}
    for path in files:
        if path.endswith(".cc") and not named_in_cmake(root, path):
            yield f"{path}: no target builds it; list it in the CMakeLists.txt of its folder or delete it"
        name = path.rsplit("/", 1)[-1]
        if path.endswith(".h") and name not in {header.rsplit("/", 1)[-1] for header in included}:
            yield f"{path}: nobody includes it"


def violations(root: pathlib.Path) -> tuple[list[str], int]:
    files = dict(sources(root))
    found = [wrong for path, text in files.items() for wrong in check_file(path, text)]
    found += dead_files(root, files)
    return found, len(files)


def main(arguments: list[str]) -> int:
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parents[2]
    found, count = violations(root)
    for line in found:
        print(line)
    print(f"{count} files read, {len(found)} violations")
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
