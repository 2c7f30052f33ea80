"""The page of coverage adds up files by folder, wherever the Python package was installed."""

import json
import pathlib
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "coverage_page.py"


def cpp(name: str, lines: tuple[int, int], branches: tuple[int, int]) -> dict[str, object]:
    return {
        "filename": name,
        "line_covered": lines[0],
        "line_total": lines[1],
        "branch_covered": branches[0],
        "branch_total": branches[1],
    }


def test_folders_are_summed(tmp_path: pathlib.Path) -> None:
    files = [
        cpp("src/store/s3/put.cc", (5, 10), (1, 4)),
        cpp("src/store/a.cc", (10, 10), (3, 4)),
        cpp("cli/main.cc", (1, 2), (0, 0)),
    ]
    summary = {"covered_lines": 9, "num_statements": 10, "covered_branches": 1, "num_branches": 2}
    (tmp_path / "cpp.json").write_text(json.dumps({"files": files}))
    (tmp_path / "py.json").write_text(
        json.dumps({"files": {"build/venv/lib/python3.11/site-packages/stepstore/aio.py": {"summary": summary}}})
    )
    out = tmp_path / "page.md"
    command = [sys.executable, PAGE, tmp_path / "cpp.json", tmp_path / "py.json", out]
    subprocess.run(command, check=True, cwd=PAGE.parent)
    text = out.read_text()
    assert "| `src/store/` | 15 | 20 | 75.0 % | 4 | 8 | 50.0 % |" in text
    assert "| `cli/` | 1 | 2 | 50.0 % | 0 | 0 |  |" in text
    assert "| **all of C++** | 16 | 22 | 72.7 % | 4 | 8 | 50.0 % |" in text
    assert "| `python/stepstore/` | 9 | 10 | 90.0 % | 1 | 2 | 50.0 % |" in text
