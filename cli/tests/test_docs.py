"""docs/cli.md: its examples run and print what it says; it names every command, option and exit code."""

import re
import shutil
import subprocess

import pytest
from cli_support import ROOT, png

MANUAL = ROOT / "docs" / "cli.md"
COMMANDS = ["put", "get", "ls", "rm", "presign", "import", "export", "adopt", "check", "doctor", "info"]
COMMANDS += ["completion", "help"]


def examples():
    """(command, output) pairs of the console blocks, in order."""
    pairs = []
    for block in re.findall(r"^```console\n(.*?)^```", MANUAL.read_text(), re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                pairs.append([line[2:], []])
            elif line.startswith("> "):
                pairs[-1][0] += "\n" + line[2:]
            else:
                pairs[-1][1].append(line)
    return pairs


def pattern(lines):
    """`...` stands for any text; blanks count as one."""
    text = "\n".join(" ".join(line.split()) for line in lines)
    return re.escape(text).replace(r"\.\.\.", ".*")


def test_examples(stepstore, tmp_path, recording):
    (stepstore.cwd / "page.html").write_text("<!doctype html><p>Hello")
    (stepstore.cwd / "page.png").write_bytes(png())
    (stepstore.cwd / "page.har").write_text("{}")
    shutil.copytree(recording, stepstore.cwd / "pg-tour")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "stepstore").symlink_to(stepstore.path)
    assert len(examples()) >= 20
    for command, lines in examples():
        done = subprocess.run(
            ["bash", "-c", command], cwd=stepstore.cwd, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
            env={**stepstore.env, "PATH": f"{programs}:{stepstore.env['PATH']}", "HOME": str(tmp_path)},
        )  # fmt: skip
        shown = "\n".join(" ".join(line.split()) for line in done.stdout.splitlines())
        assert re.fullmatch(pattern(lines), shown, re.S), f"$ {command}\n{shown}\nbut the manual says\n{lines}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_explained(stepstore, command):
    manual = MANUAL.read_text()
    assert f"stepstore {command}" in manual
    options = stepstore(command, "--help").out.split("Examples:")[0]
    for option in set(re.findall(r"(?:^|[ ,])(--[a-z-]+)", options, re.M)):
        assert f"`{option}" in manual, option


def test_the_exit_codes_are_those_of_the_command(stepstore):
    rows = re.findall(r"^\| (\d+) \| `([a-z-]+)` \| (.*) \|$", MANUAL.read_text(), re.M)
    table = stepstore("help", "exit-codes", "--json").json()
    assert rows == [(str(row["code"]), row["name"], row["meaning"]) for row in table]
