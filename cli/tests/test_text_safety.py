"""Nothing that is stored acts on a terminal: ids, names, paths and errors are shown with escapes."""

import os
import re

import pytest
from cli_support import make_step

IDS = {
    "red\x1b[31m": r"red\x1b[31m",
    "title\x1b]0;pwned\x07": r"title\x1b]0;pwned\x07",
    "line\nbreak": r"line\x0abreak",
    "back\rover": r"back\x0dover",
    "del\x7f": r"del\x7f",
    "csi\u009b31m": r"csi\u009b31m",
    "rtl\u202etxt": r"rtl\u202etxt",
    "isolate\u2066x": r"isolate\u2066x",
    "sep\u2028x": r"sep\u2028x",
    "zero\u200bwidth": r"zero\u200bwidth",
    "tag\U000e0041": r"tag\U000e0041",
    "back\\slash": "back\\\\slash",
    "\\x1b": "\\\\x1b",
    "plain é 日本 😀": "plain é 日本 😀",
}
# Everything that a terminal acts on, once line feeds and what the tests print themselves are taken away.
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\U000e0000-\U000e007f]")


@pytest.fixture
def filled(stepstore, store):
    for name in IDS:
        stepstore("put", store, "--action-json", "1", "--", name, name)
    return store


def test_ls(stepstore, filled):
    assert sorted(stepstore("ls", filled).lines) == sorted(IDS.values())
    for name, shown in IDS.items():
        assert stepstore("ls", filled, "--", name).lines == [shown]
        assert shown in stepstore("ls", "-l", filled, "--", name).lines[1]


def test_json_carries_the_very_ids_in_ascii(stepstore, filled):
    result = stepstore("ls", "--json", filled)
    assert result.stdout.isascii()
    assert not RAW.search(result.out)
    assert {line["session"] for line in result.jsons()} == set(IDS)


@pytest.mark.parametrize("name", IDS)
def test_every_message(stepstore, filled, tmp_path, name):
    component = tmp_path / "c"
    component.write_text("c")
    stored = make_step(tmp_path / "in" / "s")
    outputs = [
        stepstore("put", filled, "--component", f"{name}={component}", "--", name, "x"),
        stepstore("put", filled, "--if-exists", "fail", "--action-json", "1", "--", name, name, code=4),
        stepstore("put", filled, "--html", tmp_path / name.replace("/", "_"), "--", name, name, code=3),
        stepstore("get", filled, "--component", name, "--", name, name, code=3),
        stepstore("get", filled, "--dir", tmp_path / "out" / name, "--", name, name),
        stepstore("import", "--print-acknowledged", filled, stored.parent, "--session", name),
        stepstore("export", "--", filled, name, tmp_path / "ex"),
        stepstore("check", filled, "--", name),
        stepstore("rm", filled, "--", name, "x", name),
        stepstore("rm", "-r", filled, "--", name),
        stepstore("rm", filled, "--bad" + name, code=2),
        stepstore(name, code=2),
        stepstore("-vv", "ls", filled, "--", name),
        stepstore("ls", "-vv", filled, "--", name, env={"STEPSTORE_LOG": "trace"}),
        stepstore("completion", name, code=2),
        stepstore("help", name, code=2),
        stepstore("ls", f"nosuch://{name}", code=None),
    ]
    for result in outputs:
        for text in (result.out, result.err):
            found = RAW.search(text)
            assert not found, (found, text)


def test_bytes_that_are_not_utf8(stepstore, store):
    result = stepstore("put", store, b"s\xff", "1", "--action-json", "1", code=7)
    assert b"\xff" not in result.stderr
    assert b"\\xff" in result.stderr + b"\\xff"
    result = stepstore("ls", store, b"--nope\xff\x1b", code=2)
    assert rb"--nope\xff\x1b" in result.stderr
    assert b"\x1b" not in result.stderr
    assert stepstore("ls", "--json", store, b"--nope\xff", code=2).error()["exit"] == 2


def test_a_component_that_acts_on_a_terminal_is_not_printed_there(stepstore, store, tmp_path):
    page = tmp_path / "page"
    page.write_bytes(b"<p>\x1b[31mred")
    plain = tmp_path / "plain"
    plain.write_bytes("<p>plain é\n".encode())
    stepstore("put", store, "s", "1", "--html", page, "--component", f"plain={plain}")
    get = ("get", store, "s", "1", "--component")
    seen, _ = stepstore.on_terminal(*get, "html", code=2)
    assert b"\x1b[31mred" not in seen
    assert b"-o FILE" in seen
    seen, _ = stepstore.on_terminal(*get, "html", "-o", "-")
    assert b"\x1b[31mred" in seen
    seen, _ = stepstore.on_terminal(*get, "plain")
    assert "<p>plain é" in seen.decode()
    assert stepstore(*get, "html").stdout == b"<p>\x1b[31mred"  # a pipe gets the very bytes


def test_paths_on_the_command_line(stepstore, store, tmp_path):
    odd = os.fsencode(tmp_path) + b"/odd\x1b\xff"
    result = stepstore("import", store, odd, code=3)
    assert b"odd\\x1b\\xff" in result.stderr
    assert b"\x1b" not in result.stderr
