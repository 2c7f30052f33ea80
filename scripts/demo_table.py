"""Reads every step of a session back and prints a table: demo_table.py STORE SESSION RECORDING.

Each step is read through the Python package, which compares the checksums in the manifest, and is then
compared with the recording byte by byte.
"""

import json
import pathlib
import sys
import time

from stepstore import StorageManager


def size(count: int) -> str:
    return f"{count / 1024:,.1f} KiB"


def main() -> int:
    store_path, session, recording = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    columns = "{:<11} {:>12} {:>12} {:>10}  {:<24} {:>8}  {}"
    print(columns.format("STEP", "HTML", "SCREENSHOT", "ACTION", "STORED AT (UTC)", "READ", "CHECKSUMS"))
    total_bytes = total_parts = 0
    different = []
    begun = time.perf_counter()
    with StorageManager(store_path) as store:
        steps = store.list_steps_for_session(session)
        for step_id in steps:
            start = time.perf_counter()
            step = store.retrieve_step_data(session, step_id)
            took = time.perf_counter() - start
            folder = recording / step_id
            action = (folder / "action.json").read_bytes()
            same = (
                step.html_bytes == (folder / "observation.html").read_bytes()
                and step.screenshot_bytes == (folder / "screenshot.png").read_bytes()
                and step.action_data == json.loads(action)
                and step.metadata == json.loads((folder / "metadata.json").read_bytes())
            )
            if not same:
                different.append(step_id)
            html, screenshot = step.html_bytes or b"", step.screenshot_bytes or b""
            total_bytes += len(html) + len(screenshot) + len(action)
            total_parts += 3
            print(
                columns.format(
                    step_id,
                    size(len(html)),
                    size(len(screenshot)),
                    size(len(action)),
                    f"{step.created_at:%Y-%m-%d %H:%M:%S}.{step.created_at.microsecond // 1000:03d}",
                    f"{took * 1000:.2f} ms",
                    "3 verified" if same else "DIFFERENT FROM THE RECORDING",
                )
            )
    seconds = time.perf_counter() - begun
    print(
        f"{len(steps)} steps, {size(total_bytes)}, {total_parts} checksums verified, "
        f"{len(steps) - len(different)} steps identical to the recording; read in {seconds:.2f} s"
    )
    expected = {folder.name for folder in recording.iterdir()}
    return 1 if different or set(steps) != expected else 0


if __name__ == "__main__":
    sys.exit(main())
