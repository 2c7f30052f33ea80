"""README.md, from top to bottom in an empty folder: what it says to type runs, and leaves the files that it shows."""

import json
import re
import shutil
import subprocess

from docs_support import README, ROOT, blocks, command, environment


def test_python_and_shell_run_in_their_order(tmp_path, monkeypatch, recording, capsys):
    monkeypatch.chdir(tmp_path)
    blocking, awaited = blocks(README, "python")
    for python in (blocking, awaited):
        exec(compile(python.code, "README.md", "exec"), {})
    assert capsys.readouterr().out == "['login-test'] ['0001']\n"

    # `<session>/<step>/...`, as README says of the folder that it imports.
    shutil.copytree(recording, tmp_path / "runs/today/login-test")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/stepstore").symlink_to(command())
    (shell,) = [block for block in blocks(README, "") if block.code.startswith("stepstore ")]
    env = {**environment(), "PATH": f"{tmp_path / 'bin'}:{environment()['PATH']}"}
    shown = ""
    for line in shell.code.splitlines():
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=env, check=False, timeout=60)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        shown += done.stdout
    assert len(shell.code.splitlines()) >= 4
    assert "step_0029" in shown
    assert len(list((tmp_path / "out/login-test").iterdir())) == 32  # the recording's and Python's two

    files = [
        line.split()[0] for block in blocks(README, "") for line in block.code.splitlines() if "recordings/" in line
    ]
    files = [file for file in files if file.startswith("recordings/")]
    assert len(files) >= 3
    assert [file for file in files if not (tmp_path / file).is_file()] == []


def test_commands_of_dev_exist():
    pages = [README, ROOT / "CONTRIBUTING.md"]
    named = {word for page in pages for word in re.findall(r"\./dev (?:-v )?([a-z]+)", page.read_text())}
    assert len(named) >= 4
    assert [name for name in sorted(named - {"help"}) if not (ROOT / "scripts" / f"{name}.sh").is_file()] == []


def test_presets_exist():
    presets = {preset["name"] for preset in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
    pages = [README, ROOT / "CONTRIBUTING.md"]
    named = {word for page in pages for word in re.findall(r"--preset (\w+)", page.read_text())}
    assert named
    assert named <= presets
