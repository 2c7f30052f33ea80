"""Checksums, encryption, class, tags and owner on every server, as far as it has them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import boto3
import pytest
import stepstore
from botocore.config import Config
from s3_support import Server
from stepstore import S3ObjectSettings, StorageManager


@pytest.fixture
def client(s3: Server) -> Any:
    """boto3, which is independent of ours."""
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        region_name=s3.region,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        config=Config(s3={"addressing_style": "path"}),
    )


def opened(s3: Server, prefix: str, **settings: Any) -> StorageManager:
    return StorageManager(s3.uri(prefix), credentials=s3.credentials, s3_objects=S3ObjectSettings(**settings))


def without(s3: Server, trait: str) -> None:
    if trait in s3.traits:
        pytest.skip(trait)


def large_file(folder: Path) -> tuple[Path, bytes]:
    data = os.urandom(1 << 20) * 12
    path = folder / "video.webm"
    path.write_bytes(data)
    return path, data


@pytest.mark.parametrize("checksum", ["auto", "crc64nvme", "crc32c", "md5", "none"])
def test_every_checksum_is_taken_or_refused_as_such(s3: Server, prefix: str, tmp_path: Path, checksum: str) -> None:
    path, data = large_file(tmp_path)
    with opened(s3, prefix, checksum=checksum) as store:
        store.store_step_data("s", "1", "<p>", components={"video": path, "empty": b""})
        step = store.retrieve_step_data("s", "1")
        assert (step.html_content, step.components["video"], step.components["empty"]) == ("<p>", data, b"")
        assert store.check(data=True).healthy


def test_class_and_tags_of_components(s3: Server, prefix: str, client: Any) -> None:
    without(s3, "no-storage-class")
    without(s3, "no-tags-on-put")
    with opened(s3, prefix, storage_class="STANDARD_IA", tags={"team": "q a", "env": "ci/1"}) as store:
        store.store_step_data("s", "1", "<p>")
    key = f"{prefix}/s/1/"
    html = client.head_object(Bucket=s3.bucket, Key=key + "observation.html")
    assert html["StorageClass"] == "STANDARD_IA"
    tags = client.get_object_tagging(Bucket=s3.bucket, Key=key + "observation.html")["TagSet"]
    assert sorted((tag["Key"], tag["Value"]) for tag in tags) == [("env", "ci/1"), ("team", "q a")]
    manifest = client.head_object(Bucket=s3.bucket, Key=key + "step.json")
    assert manifest.get("StorageClass", "STANDARD") == "STANDARD"
    assert client.get_object_tagging(Bucket=s3.bucket, Key=key + "step.json")["TagSet"] == []


def test_encryption_by_the_server(s3: Server, prefix: str, client: Any, tmp_path: Path) -> None:
    without(s3, "no-sse")
    path, data = large_file(tmp_path)
    with opened(s3, prefix, sse="AES256", require_sse=True) as store:
        store.store_step_data("s", "1", "<p>", components={"video": path})
        assert store.retrieve_step_data("s", "1").components["video"] == data
    for name in ("observation.html", "step.json"):
        head = client.head_object(Bucket=s3.bucket, Key=f"{prefix}/s/1/{name}")
        assert head["ServerSideEncryption"] == "AES256"


def test_encryption_that_is_required_and_not_there(s3: Server, prefix: str, client: Any) -> None:
    """Whatever the server says of the wish, no byte of the step reaches it."""
    if "no-sse" not in s3.traits:
        return
    with opened(s3, prefix, sse="AES256", require_sse=True) as store, pytest.raises(stepstore.StorageManagerError):
        store.store_step_data("s", "1", "<p>")
    assert client.list_objects_v2(Bucket=s3.bucket, Prefix=f"{prefix}/").get("KeyCount", 0) == 0


def test_a_key_of_ones_own(s3: Server, prefix: str, client: Any, tmp_path: Path) -> None:
    without(s3, "no-sse-c")
    key = secrets.token_bytes(32)
    path, data = large_file(tmp_path)
    with opened(s3, prefix, sse_c_key=key, require_sse=True) as store:
        store.store_step_data("s", "1", "<p>", components={"video": path})
        step = store.retrieve_step_data("s", "1")
        assert (step.html_content, step.components["video"]) == ("<p>", data)
        assert store.check(data=True).healthy
        with pytest.raises(stepstore.Unsupported):
            store.presign("s", "1", "html")
    got = client.get_object(
        Bucket=s3.bucket, Key=f"{prefix}/s/1/observation.html", SSECustomerAlgorithm="AES256", SSECustomerKey=key
    )
    assert got["Body"].read() == b"<p>"
    with opened(s3, prefix) as store, pytest.raises(stepstore.StorageManagerError) as refused:
        store.retrieve_step_data("s", "1")
    assert isinstance(refused.value, stepstore.ConfigError | stepstore.PermissionDenied)
    with opened(s3, prefix, sse_c_key=secrets.token_bytes(32)) as store, pytest.raises(stepstore.StorageManagerError):
        store.retrieve_step_data("s", "1")


def test_a_bucket_of_somebody_else(s3: Server, prefix: str) -> None:
    without(s3, "ignores-bucket-owner")
    with opened(s3, prefix, expected_bucket_owner="999999999999") as store:
        with pytest.raises(stepstore.PermissionDenied):
            store.store_step_data("s", "1", "<p>")
        with pytest.raises(stepstore.PermissionDenied):
            store.list_sessions()
