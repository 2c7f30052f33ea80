"""The examples run as they stand."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_seed_example_runs_as_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "seed" / "example.py", tmp_path / "store"],
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "<html><body>Example</body></html> 11 {'type': 'click', 'selector': '#submit'}\n['step_001']\n"
    )
    assert (tmp_path / "store/session_123/step_001/observation.html").exists()
