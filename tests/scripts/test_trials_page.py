"""The page of long trials: parts may be run one after the other or at once, and none speaks for another."""

import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "trials_page.py"
NAMES = ["kills, local", "kills, Ceph", "races"]


@pytest.fixture
def project(tmp_path: pathlib.Path) -> pathlib.Path:
    for folder in ("scripts", "docs", "build"):
        (tmp_path / folder).mkdir()
    (tmp_path / "scripts" / "trials_page.py").write_text(SCRIPT.read_text())
    commit(tmp_path)
    return tmp_path


def commit(project: pathlib.Path) -> str:
    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        return subprocess.run(["git", *who, *words], cwd=project, capture_output=True, text=True, check=True).stdout

    git("init", "-q")
    git("add", "scripts")
    git("commit", "-q", "--allow-empty", "-m", "x")
    return head(project)


def head(project: pathlib.Path) -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout.strip()


def run(project: pathlib.Path, *words: str, names: list[str] = NAMES) -> str:
    script = project / "scripts" / "trials_page.py"
    subprocess.run([sys.executable, script, *words], input="\n".join(names), text=True, check=True)
    return (project / "docs" / "trials.md").read_text()


def row_of(page: str, name: str) -> str:
    (row,) = (line for line in page.splitlines() if line.startswith(f"| {name} |"))
    return row


def test_a_trial_that_was_never_run_says_so(project: pathlib.Path) -> None:
    page = run(project, "record", "races", "storm 60", "0", "61000", "storm: 1 passed")
    assert "not run yet" in row_of(page, "kills, local")
    assert "passed" in row_of(page, "races")
    assert "1 min 01 s" in row_of(page, "races")


def test_each_line_has_the_commit_of_its_own_run(project: pathlib.Path) -> None:
    run(project, "record", "races", "storm 60", "0", "1", "a")
    first = head(project)
    second = commit(project)
    page = run(project, "record", "kills, Ceph", "kill.py", "1", "1", "b")
    assert first in row_of(page, "races")
    assert second in row_of(page, "kills, Ceph")
    assert "**failed**" in row_of(page, "kills, Ceph")


def test_the_newest_run_replaces_the_one_before(project: pathlib.Path) -> None:
    run(project, "record", "races", "storm 60", "1", "1", "bad | worse")
    page = run(project, "record", "races", "storm 60", "0", "1", "good")
    assert "good" in row_of(page, "races")
    assert "bad" not in page


def test_a_change_that_is_not_committed_shows(project: pathlib.Path) -> None:
    with (project / "scripts" / "trials_page.py").open("a") as script:
        script.write("# changed\n")
    assert f"{head(project)}+, " in row_of(run(project, "record", "races", "storm", "0", "1", "a"), "races")


def test_lanes_that_end_at_once_keep_each_others_lines(project: pathlib.Path) -> None:
    names = [f"trial {number}" for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: run(project, "record", name, "c", "0", "1", "w", names=names), names))
    assert "not run yet" not in run(project, "page", names=names)


def test_a_trial_that_was_renamed_takes_its_line_with_it(project: pathlib.Path) -> None:
    run(project, "record", "races", "storm 60", "0", "1", "a")
    page = run(project, "record", "kills, local", "kill.py", "0", "1", "b", names=["kills, local"])
    assert "| races |" not in page
