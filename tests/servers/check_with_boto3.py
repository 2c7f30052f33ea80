#!/usr/bin/env python3
"""What every server has to do rightly, asked by AWS's own client: bytes, ranges, listings, versions, and conditional
writes of which exactly one wins. A server that fails here is of no use to our tests.

tests/servers/servers.py run NAME... -- PYTHON tests/servers/check_with_boto3.py [SEED]
where PYTHON has boto3, as has "$(tests/servers/servers.py where moto)/bin/python".
"""

import json
import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

WRITERS = 16
ROUNDS = 5


def client(server: dict[str, Any]) -> Any:
    """Retries off: a write that is repeated behind our back would spoil the races."""
    return boto3.client(
        "s3",
        endpoint_url=server["endpoint"],
        region_name=server["region"],
        aws_access_key_id=server["access_key"],
        aws_secret_access_key=server["secret_key"],
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=WRITERS, s3={"addressing_style": "path"}),
    )


def status(call: Callable[..., Any], **arguments: Any) -> int:
    try:
        return int(call(**arguments)["ResponseMetadata"]["HTTPStatusCode"])
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise SystemExit(f"{what}: {found!r}, not {wanted!r}")


def check_bytes(s3: Any, bucket: str, dice: random.Random) -> None:
    body = dice.randbytes(300_000)
    s3.put_object(Bucket=bucket, Key="bytes/ä b+c%25", Body=body, ContentType="image/png", Metadata={"kind": "shot"})
    got = s3.get_object(Bucket=bucket, Key="bytes/ä b+c%25")
    expect(got["Body"].read() == body, True, "the bytes are what was put")
    expect((got["ContentType"], got["Metadata"]), ("image/png", {"kind": "shot"}), "type and metadata")
    for header, part in (("bytes=10-19", body[10:20]), ("bytes=299990-", body[-10:]), ("bytes=-7", body[-7:])):
        got = s3.get_object(Bucket=bucket, Key="bytes/ä b+c%25", Range=header)
        expect((got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read() == part), (206, True), header)
    beyond = status(s3.get_object, Bucket=bucket, Key="bytes/ä b+c%25", Range="bytes=300000-")
    expect(beyond, 416, "a range beyond the end")
    s3.delete_object(Bucket=bucket, Key="bytes/ä b+c%25")
    expect(status(s3.get_object, Bucket=bucket, Key="bytes/ä b+c%25"), 404, "what was deleted")


def check_listings(s3: Any, bucket: str) -> None:
    keys = sorted(f"list/{folder}/{number}" for folder in "ab" for number in range(5))
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix="list/", PaginationConfig={"PageSize": 3}
    )
    expect([each["Key"] for page in pages for each in page["Contents"]], keys, "pages of three")
    after = s3.list_objects_v2(Bucket=bucket, Prefix="list/", StartAfter=keys[6])
    expect([each["Key"] for each in after["Contents"]], keys[7:], "start-after")
    folders = s3.list_objects_v2(Bucket=bucket, Prefix="list/", Delimiter="/")
    expect([each["Prefix"] for each in folders["CommonPrefixes"]], ["list/a/", "list/b/"], "delimiter")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    expect(s3.list_objects_v2(Bucket=bucket, Prefix="list/")["KeyCount"], 0, "after deleting all at once")


def check_versions(s3: Any, bucket: str) -> None:
    written = [s3.put_object(Bucket=bucket, Key="versions", Body=body)["VersionId"] for body in (b"1", b"2", b"3")]
    listed = s3.list_object_versions(Bucket=bucket, Prefix="versions")["Versions"]
    expect([each["VersionId"] for each in listed], written[::-1], "versions, newest first")
    expect(s3.get_object(Bucket=bucket, Key="versions", VersionId=written[0])["Body"].read(), b"1", "the first version")


def race(write: Callable[[int], int]) -> Counter[int]:
    """The answers that the writers got, all of whom begin at once."""
    answers: list[int] = []
    gate = threading.Barrier(WRITERS)

    def writer(number: int) -> None:
        gate.wait()
        answers.append(write(number))

    threads = [threading.Thread(target=writer, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(answers)


def check_races(s3: Any, bucket: str, traits: list[str]) -> Counter[int]:
    losses: Counter[int] = Counter()
    refusals = {412, 500} if "if-match-losers-get-500" in traits else {412}
    for number in range(ROUNDS):
        key = f"race/{number}"
        created = race(
            lambda i, key=key: status(s3.put_object, Bucket=bucket, Key=key, Body=b"%d" % i, IfNoneMatch="*")
        )
        expect(created, Counter({412: WRITERS - 1, 200: 1}), "creating at once")
        etag = s3.head_object(Bucket=bucket, Key=key)["ETag"]
        if "unquoted-if-match" in traits:
            etag = etag.strip('"')
        replaced = race(
            lambda i, key=key, etag=etag: status(
                s3.put_object, Bucket=bucket, Key=key, Body=b"new %d" % i, IfMatch=etag
            ),
        )
        expect(replaced.pop(200), 1, "winners of replacing at once")
        expect(replaced.keys() <= refusals, True, f"what the losers heard, {dict(replaced)}")
        losses += replaced
    return losses


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    for server in json.loads(os.environ["STEPSTORE_TEST_SERVERS"]):
        s3 = client(server)
        check_bytes(s3, server["bucket"], random.Random(seed))
        check_listings(s3, server["bucket"])
        check_versions(s3, server["versioned_bucket"])
        losses = check_races(s3, server["bucket"], server["traits"])
        print(f"{server['name']}: right; the losers of the races with If-Match heard {dict(losses)}", flush=True)


if __name__ == "__main__":
    main()
