"""docs/format.md describes every file of a store: the golden one of format 1.0, and one that this release writes."""

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from docs_support import ROOT, command, environment

FORMAT = (ROOT / "docs/format.md").read_text()
ULID = "[0-9A-HJKMNP-TV-Z]{26}"
SEGMENT = r"(?!\.)(?:%[0-9A-F]{2}|[A-Za-z0-9._-])+"
NUMBER = "[1-9][0-9]*"
FOUR = {"html": "observation", "screenshot": "screenshot", "action": "action", "metadata": "metadata"}


def documented_keys() -> list[str]:
    """The first column of the table of keys."""
    table = FORMAT.split("## Keys")[1].split("```")[1]
    return [line.split()[0] for line in table.strip().splitlines()]


def shape(key: str) -> re.Pattern[str]:
    """What a documented key stands for. `<component>` is left to `file_of`, which knows the component's name."""
    pattern = re.escape(key)
    for word, means in (("<session>", SEGMENT), ("<step>", SEGMENT), ("<n>", NUMBER), ("<ulid>", ULID)):
        pattern = pattern.replace(word, means)
    return re.compile(pattern)


def encoded(name: str) -> str:
    text = "".join(
        chr(byte) if re.match(r"[A-Za-z0-9._-]", chr(byte)) and byte < 128 else f"%{byte:02X}" for byte in name.encode()
    )
    return "%2E" + text[1:] if text.startswith(".") else text


def file_of(component: str) -> re.Pattern[str]:
    """The files that a component may have: its plain name, and the same with a ULID."""
    if component in FOUR:
        endings = {"html": "html", "screenshot": "(png|jpg|webp|bin)"}.get(component, "json")
        return re.compile(rf"{FOUR[component]}(\.{ULID})?\.{endings}")
    plain = encoded(component)
    if component.startswith(("step.", "versions", "metadata.", "observation.", "screenshot.", "action.")):
        plain = f"%{ord(plain[0]):02X}{plain[1:]}"
    stem, dot, ending = plain.rpartition(".")
    once = rf"{re.escape(stem)}\.{ULID}\.{re.escape(ending)}" if dot else rf"{re.escape(plain)}\.{ULID}"
    return re.compile(rf"{re.escape(plain)}|{once}")


def undocumented(store: Path) -> list[str]:
    """Keys that no line of docs/format.md and no manifest accounts for."""
    known = [shape(key) for key in documented_keys() if "<component>" not in key and "..." not in key]
    odd = []
    for file in sorted(path for path in store.rglob("*") if path.is_file()):
        key = str(file.relative_to(store))
        if key.startswith((".stepstore/tmp/", ".stepstore/trash/", ".stepstore/locks/")):
            continue
        # A session that was recorded again has the same keys below <session>~<g>.
        plain = re.sub(rf"^([^/~]+)~{NUMBER}/", r"\1/", key)
        if not any(pattern.fullmatch(plain) for pattern in known) and not named_by_manifest(store, key):
            odd.append(key)
    return odd


def named_by_manifest(store: Path, key: str) -> bool:
    session, step, *rest = key.split("/")
    if session == ".stepstore" or not rest:
        return False
    location = "/".join(rest)
    manifest = json.loads((store / session / step / "step.json").read_text())
    components = list(manifest.get("components", []))
    for older in manifest.get("kept_versions", []):
        components += json.loads((store / session / step / older["location"]).read_text())["components"]
    return any(part["location"] == location and file_of(part["name"]).fullmatch(location) for part in components)


def test_the_table_of_keys_is_understood():
    keys = documented_keys()
    assert len(keys) == 10
    assert "<session>/<step>/step.json" in keys
    assert shape("<session>/<step>/step.json").fullmatch("login/0001/step.json")
    assert not shape("<session>/<step>/step.json").fullmatch("login/.hidden/step.json")


@pytest.mark.parametrize(
    ("component", "file", "fits"),
    [
        ("html", "observation.html", True),
        ("html", "observation.01KDVDNCE4GRN265CW24YT7545.html", True),
        ("html", "observation.htm", False),
        ("har", "har.01KDVDNCE4GRN265CW24YT7545", True),
        ("step.json", "%73tep.json", True),
        ("step.json", "step.json", False),
    ],
)
def test_names_of_files(component, file, fits):
    assert bool(file_of(component).fullmatch(file)) is fits


def test_the_golden_store():
    golden = ROOT / "tests/golden/format-1.0"
    assert len([path for path in golden.rglob("*") if path.is_file()]) >= 15
    assert undocumented(golden) == []


def test_an_imported_recording(tmp_path, recording):
    def run(*arguments):
        subprocess.run([command(), *arguments], env=environment(), check=True, stdout=subprocess.DEVNULL)

    run("import", tmp_path / "store", recording)
    part, metadata = tmp_path / "part", tmp_path / "metadata"
    for name in ("step.json", "ä b", ".x", "har", "trace.zip"):
        for text in ("first", "second"):
            part.write_text(text)
            metadata.write_text(f'"{text * 60000}"')  # too large for the manifest
            run("put", tmp_path / "store", "../é~", name, "--html", part, "--component", f"{name}={part}",
                "--metadata", metadata, "--keep-versions", "2")  # fmt: skip
    assert undocumented(tmp_path / "store") == []
    folders = {path.name for path in (tmp_path / "store").iterdir()} - {".stepstore"}
    assert {unquote(folder) for folder in folders} == {"../é~", "pg-tour"}
    for folder in folders:
        assert folder == encoded(unquote(folder))


def test_a_stray_file_would_be_seen(tmp_path, recording):
    subprocess.run([command(), "import", tmp_path / "store", recording], env=environment(), check=True)
    (tmp_path / "store/pg-tour/step_0000/stray.json").write_text("{}")
    (tmp_path / "store/.stepstore/stray.json").write_text("{}")
    assert undocumented(tmp_path / "store") == [".stepstore/stray.json", "pg-tour/step_0000/stray.json"]
