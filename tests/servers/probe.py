#!/usr/bin/env python3
"""Asks the running servers about each trait of catalogue.py, and fails when the table says something else.

tests/servers/servers.py run NAME... -- python3 tests/servers/probe.py
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
import time
import zlib
from collections.abc import Callable, Mapping

from catalogue import KINDS, NOT_PROBED, TRAITS
from signed import S3, Answer

LIFECYCLE_SECONDS = 40.0  # Ceph acts within ten when the machine is idle


def dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


# A server that keeps no versions has none of these.
ABOUT_VERSIONS = {"ignores-conditions-when-versioned", "no-if-match-when-versioned", "marker-refuses-create"}


class Server:
    """One server as the probes see it: its two buckets, and keys that no other probe uses."""

    def __init__(self, name: str, s3: S3, plain: str, versioned: str | None) -> None:
        self.name, self.s3, self.plain, self.versions = name, s3, plain, versioned is not None
        self.versioned = versioned or "no-bucket-keeps-versions"

    def put(self, key: str, body: bytes = b"x", bucket: str = "", **headers: str) -> Answer:
        return self.s3.request("PUT", f"/{bucket or self.plain}/{key}", headers=dashed(headers), body=body)

    def must_put(self, key: str, body: bytes = b"x", bucket: str = "") -> Answer:
        answer = self.put(key, body, bucket)
        assert answer.status == 200, f"{self.name} answered {answer.status} to a put of {key}: {answer.body!r}"
        return answer

    def get(self, key: str, **headers: str) -> Answer:
        return self.s3.request("GET", f"/{self.plain}/{key}", headers=dashed(headers))

    def post(self, path: str, query: Mapping[str, str], body: bytes = b"", **headers: str) -> Answer:
        return self.s3.request("POST", f"/{self.plain}{path}", query, dashed(headers), body)


Probe = Callable[[Server], bool]
PROBES: dict[str, Probe] = {}


def probes(trait: str) -> Callable[[Probe], Probe]:
    def add(function: Probe) -> Probe:
        PROBES[trait] = function
        return function

    return add


def md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body).digest()).decode()


# --- What is checked about a request ---


@probes("no-signatures")
def _(server: Server) -> bool:
    stranger = S3(server.s3.endpoint, server.s3.access_key, "wrong")
    return stranger.request("PUT", f"/{server.plain}/signature", body=b"x").status == 200


@probes("unknown-key-is-404")
def _(server: Server) -> bool:
    stranger = S3(server.s3.endpoint, "nobody", "wrong")
    return stranger.request("GET", f"/{server.plain}").status == 404


@probes("closes-connections")
def _(server: Server) -> bool:
    server.must_put("connection")
    return server.get("connection").closes


@probes("ignores-payload-hash")
def _(server: Server) -> bool:
    return server.put("hash", x_amz_content_sha256=hashlib.sha256(b"other").hexdigest()).status == 200


@probes("ignores-checksums")
def _(server: Server) -> bool:
    return server.put("checksum", x_amz_checksum_crc32c="AAAAAA==").status == 200


@probes("ignores-content-md5")
def _(server: Server) -> bool:
    return server.put("md5", content_md5=md5(b"other")).status == 200


@probes("no-trailing-checksums")
def _(server: Server) -> bool:
    crc = base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big"))
    body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc + b"\r\n\r\n"
    answer = server.put(
        "trailer",
        body,
        content_encoding="aws-chunked",
        x_amz_decoded_content_length="5",
        x_amz_trailer="x-amz-checksum-crc32",
        x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    )
    return answer.status != 200


# --- Conditions ---


@probes("unquoted-if-match")
def _(server: Server) -> bool:
    etag = server.must_put("quoted").headers["ETag"]
    bare = etag.strip('"')
    refused = server.put("quoted", b"y", if_match=f'"{bare}"').status == 412
    return refused and server.put("quoted", b"y", if_match=bare).status == 200


@probes("if-match-on-nothing-is-412")
def _(server: Server) -> bool:
    return server.put("nothing", if_match=f'"{"0" * 32}"').status == 412


@probes("ignores-conditional-delete")
def _(server: Server) -> bool:
    old = server.must_put("delete", b"old").headers["ETag"]
    server.must_put("delete", b"new")
    server.s3.request("DELETE", f"/{server.plain}/delete", headers={"if-match": old})
    return server.get("delete").status == 404


def completed_over(server: Server, key: str, **condition: str) -> bool:
    """Whether a multipart upload replaces an object that is there, in spite of the condition."""
    server.must_put(key, b"there")
    started = server.post(f"/{key}", {"uploads": ""})
    upload = re.findall(rb"<UploadId>(.*?)</UploadId>", started.body)[0].decode()
    query = {"partNumber": "1", "uploadId": upload}
    etag = server.s3.request("PUT", f"/{server.plain}/{key}", query, body=b"new").headers["ETag"]
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    whole = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
    server.post(f"/{key}", {"uploadId": upload}, whole, **condition)
    return server.get(key).body == b"new"


@probes("ignores-conditional-completion")
def _(server: Server) -> bool:
    return completed_over(server, "completion", if_none_match="*")


@probes("ignores-if-match-on-completion")
def _(server: Server) -> bool:
    return completed_over(server, "stale", if_match=f'"{"0" * 32}"')


# --- Versions ---


@probes("ignores-conditions-when-versioned")
def _(server: Server) -> bool:
    server.must_put("create", bucket=server.versioned)
    return server.put("create", b"y", server.versioned, if_none_match="*").status == 200


@probes("no-if-match-when-versioned")
def _(server: Server) -> bool:
    etag = server.must_put("replace", bucket=server.versioned).headers["ETag"].strip('"')
    spellings = (etag, f'"{etag}"')
    return all(server.put("replace", b"x", server.versioned, if_match=spelt).status == 412 for spelt in spellings)


@probes("marker-refuses-create")
def _(server: Server) -> bool:
    server.must_put("marker", bucket=server.versioned)
    server.s3.request("DELETE", f"/{server.versioned}/marker")
    return server.put("marker", b"y", server.versioned, if_none_match="*").status == 412


@probes("no-versioning")
def _(server: Server) -> bool:
    bucket = "stepstore-tries-versions"
    server.s3.request("PUT", f"/{bucket}")
    body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    return server.s3.request("PUT", f"/{bucket}", {"versioning": ""}, body=body).status != 200


# --- Lifecycle ---


def set_lifecycle(server: Server) -> int:
    rule = (
        b"<LifecycleConfiguration><Rule><ID>past</ID><Filter><Prefix>expires/</Prefix></Filter>"
        b"<Status>Enabled</Status><Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>"
        b"</Rule></LifecycleConfiguration>"
    )
    path, headers = f"/{server.plain}", {"content-md5": md5(rule)}
    return server.s3.request("PUT", path, {"lifecycle": ""}, headers, rule).status


@probes("no-lifecycle")
def _(server: Server) -> bool:
    return set_lifecycle(server) != 200


@probes("lifecycle-never-acts")
def _(server: Server) -> bool:
    """Only that it acts can be shown; where the table says that it never does, there is nothing to wait for."""
    if {"no-lifecycle", "lifecycle-never-acts"} & KINDS[server.name].traits:
        return "lifecycle-never-acts" in KINDS[server.name].traits
    server.must_put("expires/soon")
    set_lifecycle(server)
    deadline = time.monotonic() + LIFECYCLE_SECONDS
    while time.monotonic() < deadline:
        if server.get("expires/soon").status == 404:
            return False
        time.sleep(0.5)
    return True


# --- Keys, listings, ranges ---


@probes("no-object-below-object")
def _(server: Server) -> bool:
    server.must_put("above")
    return server.put("above/below").status != 200


@probes("merges-slashes")
def _(server: Server) -> bool:
    server.put("merged//slashes")
    return server.get("merged/slashes").status == 200


@probes("short-segments")
def _(server: Server) -> bool:
    server.must_put("s" * 255)
    return server.put("s" * 256).status != 200


@probes("long-keys")
def _(server: Server) -> bool:
    longest = "/".join(["k" * 204] * 5)  # 1024 bytes
    server.must_put(longest)
    return server.put(longest + "k").status == 200


@probes("raw-listings")
def _(server: Server) -> bool:
    server.must_put("listed +&ä")
    answer = server.s3.request(
        "GET", f"/{server.plain}", {"list-type": "2", "prefix": "listed", "encoding-type": "url"}
    )
    assert answer.status == 200, answer
    return b"<EncodingType>url</EncodingType>" not in answer.body


def delete_body(keys: list[str]) -> bytes:
    objects = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    return f"<Delete>{objects}</Delete>".encode()


@probes("ignores-delete-checksums")
def _(server: Server) -> bool:
    server.must_put("unchecked")
    server.post("", {"delete": ""}, delete_body(["unchecked"]), content_md5=md5(b"other"))
    return server.get("unchecked").status == 404


@probes("deletes-more-than-1000")
def _(server: Server) -> bool:
    body = delete_body([f"absent-{number}" for number in range(1001)])
    return server.post("", {"delete": ""}, body, content_md5=md5(body)).status == 200


@probes("suffix-of-nothing-is-whole")
def _(server: Server) -> bool:
    server.must_put("range", b"0123456789")
    return server.get("range", range="bytes=-0").body == b"0123456789"


# --- How objects are kept ---


@probes("no-sse")
def _(server: Server) -> bool:
    answer = server.put("encrypted", x_amz_server_side_encryption="AES256")
    return answer.status != 200 or answer.headers["x-amz-server-side-encryption"] != "AES256"


@probes("no-sse-c")
def _(server: Server) -> bool:
    key = bytes(range(32))
    headers = {
        "x_amz_server_side_encryption_customer_algorithm": "AES256",
        "x_amz_server_side_encryption_customer_key": base64.b64encode(key).decode(),
        "x_amz_server_side_encryption_customer_key_MD5": md5(key),
    }
    answer = server.put("locked", **headers)
    told = answer.headers["x-amz-server-side-encryption-customer-algorithm"] == "AES256"
    kept = answer.status == 200 and told and server.get("locked", **headers).body == b"x"
    return not kept or server.get("locked").status == 200


@probes("no-storage-class")
def _(server: Server) -> bool:
    if server.put("class", x_amz_storage_class="STANDARD_IA").status != 200:
        return True
    return server.get("class").headers["x-amz-storage-class"] != "STANDARD_IA"


@probes("no-tags-on-put")
def _(server: Server) -> bool:
    server.put("tagged", x_amz_tagging="team=q%20a")
    answer = server.s3.request("GET", f"/{server.plain}/tagged", {"tagging": ""})
    return b"<Value>q a</Value>" not in answer.body


@probes("ignores-bucket-owner")
def _(server: Server) -> bool:
    return server.put("owner", x_amz_expected_bucket_owner="999999999999").status == 200


def main() -> int:
    if forgotten := TRAITS.keys() - PROBES.keys() - NOT_PROBED:
        print(f"no probe asks about {', '.join(sorted(forgotten))}")
        return 1
    told = os.environ.get("STEPSTORE_TEST_SERVERS")
    if told is None:
        print(__doc__)
        return 2
    wrong = 0
    for each in json.loads(told):
        s3 = S3(each["endpoint"], each["access_key"], each["secret_key"], each["region"])
        server = Server(each["name"], s3, each["bucket"], each["versioned_bucket"])
        asked = {trait: probe for trait, probe in PROBES.items() if server.versions or trait not in ABOUT_VERSIONS}
        for trait, probe in asked.items():
            found, said = probe(server), trait in each["traits"]
            if found != said:
                wrong += 1
                table, truth = ("has", "is not") if said else ("lacks", "is")
                print(f"{server.name}: catalogue.py {table} {trait}, and it {truth} so")
        print(f"{server.name}: asked about {len(asked)} traits")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
