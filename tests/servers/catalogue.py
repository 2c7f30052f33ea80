"""The S3 servers that tests may run against, and what each is known not to do.

This is the one table: tests skip by a trait's name, never by a server's. probe.py asks a running server about each
trait and fails when the table is wrong in either direction, so that a new version cannot make it untrue unnoticed.
"""

from __future__ import annotations

import dataclasses

# In what is a deviation, "AWS" stands for what AWS documents.
TRAITS = {
    "no-signatures": "accepts a request whose signature is wrong",
    "closes-connections": "closes the connection after every answer",
    "ignores-payload-hash": "stores a body that does not fit its x-amz-content-sha256",
    "ignores-checksums": "stores a body that does not fit its x-amz-checksum-crc32c",
    "ignores-content-md5": "stores a body that does not fit its Content-MD5",
    "ignores-delete-checksums": "deletes several objects by a body that does not fit its Content-MD5",
    "no-trailing-checksums": "refuses a body that is sent in chunks with the checksum behind it",
    "unquoted-if-match": "wants the ETag in If-Match without quotes, and answers 412 to a quoted one",
    "if-match-on-nothing-is-412": "answers 412, not 404, to a write with If-Match where there is no object",
    "races-may-have-two-winners": "judges conditions first and writes later: of many conditional writes at the same "
    "moment two can win once in a while",
    "if-match-losers-get-500": "answers 500 to some of the writers that lose a race of writes with If-Match",
    "ignores-conditional-delete": "deletes in spite of an If-Match that no longer fits",
    "ignores-conditional-completion": "completes a multipart upload in spite of If-None-Match: * and an object there",
    "ignores-if-match-on-completion": "completes a multipart upload in spite of an If-Match that no longer fits",
    "ignores-conditions-when-versioned": "overwrites in a versioned bucket in spite of If-None-Match: *",
    "no-if-match-when-versioned": "answers 412 in a versioned bucket to an If-Match that fits",
    "marker-refuses-create": "answers 412 to If-None-Match: * where a deletion marker is the newest version",
    "swap-over-marker": "overwrites a deletion marker by an If-Match with the ETag from before the deletion",
    "marker-folders-are-listed": "lists with a delimiter a prefix below which only deletion markers lie",
    "lists-temporary-files": "lists files of its own for a moment, beside the objects that are just being written",
    "emptied-folders-take-newcomers": "refuses an object once in a while, or answers 404 to its reader, while the last "
    "object beside it is deleted",
    "no-delete-of-folder-when-versioned": "answers 500 in a versioned bucket to the deletion of a prefix's own name",
    "no-versioning": "keeps no versions",
    "no-lifecycle": "has no lifecycle rules",
    "lifecycle-never-acts": "keeps lifecycle rules and does nothing by them",
    "no-object-below-object": "refuses the key a/1 where there is an object a",
    "merges-slashes": "takes a//b for a/b",
    "short-segments": "refuses keys with more than 255 bytes between two slashes",
    "long-keys": "stores keys of more than 1024 bytes",
    "raw-listings": "lists keys as they are although encoding-type=url was asked for",
    "deletes-more-than-1000": "deletes more than 1000 objects in one request, which AWS refuses",
    "unknown-key-is-404": "answers 404, not 403, to an access key that it does not know",
    "suffix-of-nothing-is-whole": "answers the range bytes=-0 with the whole object, not with 416",
    "no-sse": "does not say, after a write that asks for AES256, that the object is encrypted",
    "no-sse-c": "does not keep objects for a key that comes with the request, or gives them without it",
    "no-storage-class": "does not keep the storage class STANDARD_IA",
    "no-tags-on-put": "does not keep the tags that come with an object",
    "ignores-bucket-owner": "answers a request in spite of another x-amz-expected-bucket-owner",
    "never-conflicts": "never answers 409 ConditionalRequestConflict or 503 SlowDown, as AWS may",
}

# What a request cannot show: it concerns races, or what no answer to one request says.
NOT_PROBED = {"if-match-losers-get-500", "never-conflicts"}
# Seen by RaceSwap of the conformance suite, in one run of three. A probe would have to be lucky.
NOT_PROBED |= {"races-may-have-two-winners"}
# Seen by the conformance suite (tests/s3) in versioned buckets, which leaves out the cases about them.
NOT_PROBED |= {"lists-temporary-files", "emptied-folders-take-newcomers"}
NOT_PROBED |= {"swap-over-marker", "marker-folders-are-listed", "no-delete-of-folder-when-versioned"}


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    version: str
    why: str
    traits: frozenset[str]


def _kind(name: str, version: str, why: str, *traits: str) -> Kind:
    return Kind(name, version, why, frozenset(traits))


KINDS = {
    kind.name: kind
    for kind in (
        _kind(
            "stepstore",
            "of this tree",
            "this project's own (testing/fault_server): in memory, at once there, and as AWS documents it",
            "no-signatures",
            "no-lifecycle",
            "no-tags-on-put",
            "never-conflicts",
        ),
        _kind(
            "moto",
            "5.2.5",
            "starts in a second and is right about conditional writes, but for races: for many quick cases",
            "no-signatures",
            "closes-connections",
            "ignores-payload-hash",
            "ignores-checksums",
            "ignores-content-md5",
            "ignores-delete-checksums",
            "races-may-have-two-winners",
            "ignores-if-match-on-completion",
            "marker-folders-are-listed",
            "lifecycle-never-acts",
            "long-keys",
            "deletes-more-than-1000",
            "no-sse-c",
            "ignores-bucket-owner",
            "never-conflicts",
        ),
        _kind(
            "versitygw",
            "1.8.0",
            "the strictest about signatures, hashes and checksums, and right about every conditional write",
            "marker-refuses-create",
            "swap-over-marker",
            "marker-folders-are-listed",
            "lists-temporary-files",
            "emptied-folders-take-newcomers",
            "no-delete-of-folder-when-versioned",
            "no-lifecycle",
            "no-object-below-object",
            "merges-slashes",
            "short-segments",
            "long-keys",
            "raw-listings",
            "deletes-more-than-1000",
            "unknown-key-is-404",
            "no-sse",
            "no-sse-c",
            "no-storage-class",
            "never-conflicts",
        ),
        _kind(
            "ceph16",
            "16.2",
            "a distributed engine with every key and with lifecycle rules that act within seconds",
            "ignores-checksums",
            "ignores-delete-checksums",
            "no-trailing-checksums",
            "unquoted-if-match",
            "if-match-on-nothing-is-412",
            "if-match-losers-get-500",
            "ignores-conditional-delete",
            "ignores-conditional-completion",
            "ignores-if-match-on-completion",
            "ignores-conditions-when-versioned",
            "no-if-match-when-versioned",
            "suffix-of-nothing-is-whole",
            "no-sse",
            "no-sse-c",
            "no-storage-class",
            "ignores-bucket-owner",
            "never-conflicts",
        ),
        _kind(
            "minio",
            "0.0.0-20260212",
            "what most people run beside AWS; its last module, archived upstream. For docs/servers.md",
            "ignores-delete-checksums",
            "ignores-conditional-delete",
            "short-segments",
            "never-conflicts",
        ),
        _kind(
            "rclone",
            "1.76.0",
            "a gateway to folders and clouds. For docs/servers.md",
            "ignores-payload-hash",
            "no-versioning",
            "no-lifecycle",
            "no-object-below-object",
            "short-segments",
            "never-conflicts",
        ),
        _kind(
            "gofakes3",
            "1.2.0",
            "a fast fake. For docs/servers.md",
            "no-signatures",
            "ignores-payload-hash",
            "ignores-checksums",
            "ignores-delete-checksums",
            "if-match-on-nothing-is-412",
            "ignores-conditional-delete",
            "ignores-conditional-completion",
            "ignores-if-match-on-completion",
            "no-lifecycle",
            "raw-listings",
            "never-conflicts",
        ),
        _kind(
            "s3proxy",
            "4.1.0",
            "a gateway in Java, here to a folder. For docs/servers.md",
            "races-may-have-two-winners",
            "no-versioning",
            "no-lifecycle",
            "no-object-below-object",
            "merges-slashes",
            "short-segments",
            "never-conflicts",
        ),
    )
}
# Those that only the page about servers needs: their builds take minutes, and no other test runs on them.
FOR_THE_PAGE = frozenset({"minio", "rclone", "gofakes3", "s3proxy"})
