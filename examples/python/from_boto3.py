"""A class written by hand over boto3, the same class over stepstore, and how recordings move from one to the other.

python from_boto3.py BUCKET [STORE]      STORE: a path, memory: or s3://bucket/prefix (default ./recordings)
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3
from stepstore import Receipt, StepData, StorageManager, StorageManagerError


class BotoRecorder:
    """Before: three objects, one after the other. A crash between them leaves a part of a step."""

    def __init__(self, bucket: str) -> None:
        # types-boto3[s3] knows the types of S3 alone.
        self.s3 = boto3.client("s3")  # pyright: ignore[reportUnknownMemberType]
        self.bucket = bucket

    def save(self, session: str, step: str, html: str, screenshot: bytes, action: dict[str, Any]) -> None:
        """Writes a step."""
        folder = f"{session}/{step}"
        self.s3.put_object(Bucket=self.bucket, Key=f"{folder}/observation.html", Body=html.encode())
        self.s3.put_object(Bucket=self.bucket, Key=f"{folder}/screenshot.png", Body=screenshot)
        self.s3.put_object(Bucket=self.bucket, Key=f"{folder}/action.json", Body=json.dumps(action).encode())

    def load(self, session: str, step: str) -> tuple[str, bytes, dict[str, Any]]:
        """Reads a step."""
        html, screenshot, action = (
            self.s3.get_object(Bucket=self.bucket, Key=f"{session}/{step}/{name}")["Body"].read()
            for name in ("observation.html", "screenshot.png", "action.json")
        )
        return html.decode(), screenshot, json.loads(action)

    def folders(self, prefix: str = "") -> Iterator[str]:
        """The names of the folders below a prefix: sessions, or with "session/" its steps."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        for page in pages:
            for folder in page.get("CommonPrefixes", []):
                yield folder.get("Prefix", "").removeprefix(prefix).removesuffix("/")


class Recorder:
    """After: each step whole or not at all, in fewer round trips, and compared with its checksums when it is read."""

    def __init__(self, store: str) -> None:
        self.store = StorageManager(store)

    def save(self, session: str, step: str, html: str, screenshot: bytes, action: dict[str, Any]) -> None:
        """Writes a step."""
        self.store.store_step_data(session, step, html, screenshot, action)

    def load(self, session: str, step: str) -> tuple[str, bytes, dict[str, Any]]:
        """Reads a step."""
        html, screenshot, action = self.store.retrieve_step_data(session, step)
        return html, screenshot, action

    def close(self) -> None:
        """Call it when done."""
        self.store.close()


def move(old: BotoRecorder, new: Recorder) -> tuple[int, list[StorageManagerError]]:
    """Copies every step; calling it again copies what is missing. How many are in the new store, and what failed."""
    steps = (
        StepData(session, step, *old.load(session, step))
        for session in old.folders()
        for step in old.folders(f"{session}/")
    )
    results = new.store.store_steps(steps, if_exists="skip_identical", timeout=None)
    failed = [result for result in results if isinstance(result, StorageManagerError)]
    return sum(isinstance(result, Receipt) for result in results), failed


def main(bucket: str, store: str) -> int:
    """Moves all, then goes on recording in the new place."""
    new = Recorder(store)
    try:
        moved, failed = move(BotoRecorder(bucket), new)
        print(f"{moved} steps moved, {len(failed)} failed")
        for error in failed:
            print(f"{error.key}: {error.message}. {error.advice}", file=sys.stderr)
        new.save("after-the-move", "0001", "<h1>Hello</h1>", b"\x89PNG\r\n\x1a\n", {"type": "goto"})
        print(new.load("after-the-move", "0001")[0])
    finally:
        new.close()
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "./recordings"))
