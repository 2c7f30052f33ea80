"""The policies of docs/iam.md are enough for what they promise, and each of their actions is needed."""

from __future__ import annotations

import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import pytest
import stepstore
from gateway import Gateway, Request
from stepstore import StorageManager

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "iam.md"
# As AWS documents which action an operation needs.
ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
    "GetBucketVersioning": "s3:GetBucketVersioning",
}


class Policy:
    """One policy of the manual for this bucket and prefix, judged as IAM does, without the actions that are missing."""

    def __init__(self, role: str, bucket: str, prefix: str, missing: str = "") -> None:
        block = MANUAL.read_text().split(f"\n## {role}\n")[1].split("```json\n")[1].split("```")[0]
        text = block.replace(":::recordings", f":::{bucket}").replace("team/", f"{prefix}/")
        self._statements: list[dict[str, Any]] = json.loads(text)["Statement"]
        self._missing = missing

    def actions(self) -> set[str]:
        return {action for statement in self._statements for action in _list(statement["Action"])}

    def allow(self, request: Request) -> bool:
        # A bulk delete is judged key by key; the gateway does not read its body, and our keys are all of one store.
        return self._allows(ACTIONS[request.operation], request)

    def tell_absence(self, request: Request) -> bool:
        return self._allows("s3:ListBucket", Request("ListObjectsV2", request.bucket, "", {}))

    def _allows(self, action: str, request: Request) -> bool:
        resource = f"arn:aws:s3:::{request.bucket}" + (f"/{request.key}" if request.key else "")
        return action != self._missing and any(
            action in _list(statement["Action"])
            and (
                request.operation == "DeleteObjects"
                or any(fnmatch.fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
            )
            and _holds(statement.get("Condition"), request)
            for statement in self._statements
        )


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _holds(condition: dict[str, Any] | None, request: Request) -> bool:
    if condition is None:
        return True
    assert list(condition) == ["StringLikeIfExists"]
    (pattern,) = condition["StringLikeIfExists"].values()
    return "prefix" not in request.query or fnmatch.fnmatchcase(request.query["prefix"], pattern)


def open_as(policy: Policy | None, s3, prefix: str, gateway: Gateway) -> StorageManager:
    gateway.rights = policy
    return StorageManager(
        f"s3://{s3.bucket}/{prefix}",
        s3_endpoint_url=gateway.endpoint,
        s3_region_name=s3.region,
        credentials=s3.credentials,
    )


def read_all(store: StorageManager) -> None:
    assert store.list_sessions() == ["s"]
    assert store.list_steps_for_session("s") == ["1", "2"]
    assert store.retrieve_step_data("s", "1").html_content == "two"
    assert store.check(data=True).healthy
    with pytest.raises(stepstore.NotFound):
        store.retrieve_step_data("s", "none")
    assert store.adopt(dry_run=True).adopted == ()


def write_all(store: StorageManager, big: Path) -> None:
    store.store_step_data("s", "1", "one", action_data=[1])
    store.store_step_data("s", "1", "two", action_data=[1])
    store.store_step_data("s", "2", components={"big": big})
    store.store_step_data("t", "1", "one")
    store.delete_step("t", "1")
    store.delete_session("t")


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """More than one part of an upload."""
    path = tmp_path / "big"
    path.write_bytes(b"x" * (17 << 20))
    return path


def test_every_role_can_do_its_work(s3, prefix, big):
    with Gateway(s3.endpoint) as gateway:

        def role(name: str) -> StorageManager:
            return open_as(Policy(name, s3.bucket, prefix), s3, prefix, gateway)

        with role("Writer") as store:
            write_all(store, big)
            read_all(store)
        with role("Reader") as store:
            read_all(store)
            assert gateway.refused == []
            with pytest.raises(stepstore.PermissionDenied):
                store.store_step_data("s", "3", "x")
            with pytest.raises(stepstore.PermissionDenied):
                store.delete_step("s", "1")
        gateway.refused.clear()
        with role("Cleaner") as store:
            assert store.delete_step("s", "1").steps == 1
            assert store.delete_session("s").steps == 1
            assert gateway.refused == []
            with pytest.raises(stepstore.PermissionDenied):
                store.store_step_data("s", "3", "x")


def needed() -> list[tuple[str, str]]:
    return [(role, action) for role in ("Reader", "Writer") for action in sorted(Policy(role, "b", "p").actions())]


@pytest.mark.parametrize(("role", "action"), needed())
def test_every_action_is_asked_for(s3, prefix, big, role, action):
    with Gateway(s3.endpoint) as gateway:
        if role == "Reader":
            with open_as(None, s3, prefix, gateway) as store:
                write_all(store, big)
        with open_as(Policy(role, s3.bucket, prefix, missing=action), s3, prefix, gateway) as store:
            refusals: list[stepstore.PermissionDenied] = []
            try:
                if role == "Writer":
                    write_all(store, big)
                read_all(store)
            except stepstore.PermissionDenied as error:
                refusals.append(error)
        assert [error.http_status for error in refusals] in ([], [403])
        assert all(error.advice for error in refusals)
        if action == "s3:AbortMultipartUpload" and "ignores-conditional-completion" in s3.traits:
            # Else the probe aborts the upload whose completion was refused.
            assert gateway.refused == []
            return
        assert action in {ACTIONS[request.operation] for request in gateway.refused} | (
            {"s3:ListBucket"} if any(request.operation == "GetObject" for request in gateway.refused) else set()
        )


def test_the_manual_names_every_operation():
    text = MANUAL.read_text()
    source = (MANUAL.parents[1] / "src/s3/operation.cc").read_text()
    sent = set(re.findall(r'on_(?:key|bucket)\("(\w+)"', source)) - {"HeadBucket", "ListMultipartUploads"}
    assert sent == set(ACTIONS)
    assert [name for name in sent if not re.search(rf"\b{name}\b", text)] == []
