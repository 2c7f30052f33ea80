"""clang-tidy in little time: the files that were changed last come first, and what was left out is told."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "tidy.py"
# Each stands for the real one: no file has dependencies, and one has a finding.
NINJA = "#!/bin/sh\n"
TIDY = '#!/bin/sh\nfor last in "$@"; do :; done\n[ "$last" = --version ] || ! grep -q bad "$last"\n'


@pytest.fixture
def project(tmp_path: pathlib.Path) -> pathlib.Path:
    for folder in ("scripts", "bin", "dev"):
        (tmp_path / folder).mkdir()
    (tmp_path / "scripts" / "tidy.py").write_text(SCRIPT.read_text())
    (tmp_path / ".clang-tidy").write_text("")
    for name, text in (("ninja", NINJA), ("clang-tidy-19", TIDY)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    git(tmp_path, "init", "-q")
    entries = []
    for name in ("old", "newer", "newest"):
        file = tmp_path / f"{name}.cc"
        file.write_text(name)
        git(tmp_path, "add", file.name)
        git(tmp_path, "commit", "-q", "-m", name)
        entries.append({"file": str(file), "command": f"c++ -o {name}.o {name}.cc"})
    (tmp_path / "dev" / "compile_commands.json").write_text(json.dumps(entries))
    return tmp_path


def git(project: pathlib.Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *words], cwd=project, check=True)


def tidy(project: pathlib.Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, project / "scripts" / "tidy.py", "--jobs", "1", *options, "--cache", project / "cache"]
    environment = dict(os.environ, PATH=f"{project / 'bin'}:{os.environ['PATH']}")
    done = subprocess.run([*command, project / "dev"], env=environment, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout


def names(told: str) -> list[str]:
    return [line.rsplit(" ", 1)[1] for line in told.splitlines() if line.startswith("[")]


def test_the_files_that_were_changed_last_come_first(project):
    (project / "old.cc").write_text("changed and not committed")
    status, told = tidy(project)
    assert (status, names(told)) == (0, ["old.cc", "newest.cc", "newer.cc"])
    assert "3 files, 3 known to be clean" in tidy(project)[1]


def test_what_was_left_for_want_of_time_is_told_and_not_taken_for_clean(project):
    status, told = tidy(project, "--minutes", "0")
    assert (status, names(told)) == (0, [])
    assert "3 files were not looked at" in told
    assert len(names(tidy(project)[1])) == 3


def test_a_finding_fails_however_little_time_there_is(project):
    (project / "newer.cc").write_text("bad")
    status, told = tidy(project, "--minutes", "5")
    assert (status, names(told)[0]) == (1, "newer.cc")


def test_findings_stand_behind_all_files(project):
    (project / "newest.cc").write_text("bad")  # the first that is looked at
    status, told = tidy(project)
    lines = told.splitlines()
    last_name = max(i for i, line in enumerate(lines) if line.startswith("["))
    assert (status, lines.index("clang-tidy ended with status 1") > last_name) == (1, True)
    assert lines[-1] == "1 files with findings"


def test_what_is_clean_is_known_in_another_clone(project, tmp_path_factory):
    assert len(names(tidy(project)[1])) == 3
    clone = tmp_path_factory.mktemp("clone") / "elsewhere"
    shutil.copytree(project, clone)
    entries = clone / "dev" / "compile_commands.json"
    entries.write_text(entries.read_text().replace(str(project), str(clone)))
    assert "3 files, 3 known to be clean" in tidy(clone)[1]
    (clone / "old.cc").write_text("other")
    assert names(tidy(clone)[1]) == ["old.cc"]
