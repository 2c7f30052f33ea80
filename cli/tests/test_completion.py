"""Completion scripts: they parse, they complete, and they know every command and option."""

import re
import subprocess

import pytest

SHELLS = ["bash", "zsh", "fish"]


def options_of(stepstore, command):
    """The long options of a command, by its help."""
    return set(re.findall(r"(--[a-z-]+)", stepstore(command, "--help").out.split("Examples:")[0]))


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_there(stepstore, shell):
    script = stepstore("completion", shell).out
    for command in ("put", "get", "ls", "rm", "presign", "import", "export", "adopt", "check", "doctor", "info"):
        assert re.search(rf"\b{command}\b", script)
        for option in options_of(stepstore, command):
            spelled = f"-l {option[2:]}" if shell == "fish" else option
            assert spelled in script, (command, option)


def complete(stepstore, tmp_path, words):
    """What bash would offer for the last of the words."""
    script = tmp_path / "completion.bash"
    script.write_bytes(stepstore("completion", "bash").stdout)
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    program = (
        f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _stepstore\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-uc", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.split()


def test_bash(stepstore, tmp_path):
    script = tmp_path / "script"
    script.write_bytes(stepstore("completion", "bash").stdout)
    subprocess.run(["bash", "-n", script], check=True)
    assert complete(stepstore, tmp_path, ["stepstore", "im"]) == ["import"]
    assert "put" in complete(stepstore, tmp_path, ["stepstore", ""])
    assert complete(stepstore, tmp_path, ["stepstore", "put", "--scr"]) == ["--screenshot"]
    assert complete(stepstore, tmp_path, ["stepstore", "put", "s", "a", "b", "--if-exists", "f"]) == ["fail"]
    assert complete(stepstore, tmp_path, ["stepstore", "--json", "completion", "z"]) == ["zsh"]
    assert "exit-codes" in complete(stepstore, tmp_path, ["stepstore", "help", "e"])
