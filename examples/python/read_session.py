"""Prints a recorded session, a line for each step, and writes its last screenshot to a file.

python read_session.py STORE SESSION [PICTURE]      PICTURE: where the screenshot goes (default: nowhere)
"""

import re
import sys
from pathlib import Path

from stepstore import Step, StorageManager, StorageManagerError


def line(step: Step) -> str:
    """What a person wants to know of a step."""
    html, _, action = step
    title = re.search("<title>(.*?)</title>", html or "")
    size = sum(component.size for component in step.component_info.values())
    did = action["type"] if action else "nothing"
    return f"{step.step_id}  {did:8}  {title[1] if title else '-'}  {size} bytes"


def main(where: str, session_id: str, picture: str | None) -> int:
    """Every byte that is printed was compared with its checksum."""
    screenshot: bytes | None = None
    steps = 0
    with StorageManager(where) as store:
        for step in store.iter_steps(session_id):
            print(line(step))
            screenshot = step.screenshot_bytes or screenshot
            steps += 1
        if steps == 0:
            print(f"there is no session {session_id}; there are: {', '.join(store.list_sessions()) or 'none'}")
            return 1
    if picture and screenshot:
        Path(picture).write_bytes(screenshot)
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in {3, 4}:
        sys.exit(__doc__)
    try:
        sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None))
    except StorageManagerError as error:
        sys.exit(str(error))
