"""What servers were seen to do in November 2026, by another program that signed its requests itself; and why doctor
sees some of it differently.

scripts/servers_page.py compares: a difference without a reason here fails, and so does a reason without a difference.
"""

from __future__ import annotations

ALL = ("versitygw", "minio", "ceph16", "rclone", "s3proxy", "moto", "gofakes3")
VERSIONED = ("versitygw", "minio", "ceph16", "moto", "gofakes3")

Verdicts = dict[str, str]


def all_yes(*but: str, servers: tuple[str, ...] = ALL) -> Verdicts:
    """Yes of every server but these."""
    return {name: "no" if name in but else "yes" for name in servers}


# By bucket and row.
EARLIER: dict[tuple[str, str], Verdicts] = {
    ("plain", "signature-checked"): all_yes("moto", "gofakes3"),
    ("plain", "missing-key"): all_yes(),
    ("plain", "keep-alive"): all_yes("moto"),
    ("plain", "checksum-crc64nvme"): all_yes("ceph16", "moto", "gofakes3"),
    ("plain", "checksum-crc32c"): all_yes("ceph16", "moto", "gofakes3"),
    ("plain", "checksum-sha256"): all_yes("ceph16", "moto", "gofakes3"),
    ("plain", "content-md5"): all_yes("moto"),
    ("plain", "checksum-told"): all_yes("ceph16", "moto") | {"gofakes3": "partly"},
    ("plain", "bulk-delete"): all_yes(),
    ("plain", "bulk-delete-crc64"): all_yes(),
    ("plain", "bulk-delete-bare"): all_yes("versitygw", "minio", "s3proxy"),
    ("plain", "bulk-delete-checked"): all_yes("minio", "ceph16", "moto", "gofakes3"),
    ("plain", "lifecycle"): all_yes("versitygw", "rclone", "s3proxy", "gofakes3"),
    ("plain", "encoding-type"): all_yes("versitygw", "gofakes3"),
    ("plain", "suffix-range"): all_yes(),
    ("plain", "long-suffix-range"): all_yes("rclone", "gofakes3"),
    ("plain", "suffix-range-of-nothing"): all_yes("ceph16"),
    ("plain", "object-below-object"): all_yes("versitygw", "minio", "rclone", "s3proxy"),
    ("plain", "keys-odd"): all_yes(),
    ("plain", "if-none-match"): all_yes(),
    ("plain", "if-match-quoted"): all_yes("ceph16"),
    ("plain", "if-match-bare"): all_yes(),
    ("plain", "get-if-match"): all_yes("gofakes3"),
    ("plain", "delete-if-match"): all_yes("minio", "ceph16", "gofakes3"),
    ("plain", "multipart"): all_yes(),
    ("plain", "complete-if-none-match"): all_yes("ceph16", "gofakes3"),
    ("plain", "complete-if-match"): all_yes("ceph16", "moto", "gofakes3"),
    ("plain", "create-race"): all_yes(),
    ("plain", "swap-race"): all_yes("s3proxy"),
    ("versioned", "if-none-match"): all_yes("ceph16", servers=VERSIONED),
    ("versioned", "if-match-bare"): all_yes("ceph16", servers=VERSIONED),
    ("versioned", "create-over-delete-marker"): all_yes("versitygw", servers=VERSIONED),
}

# By server, bucket and row.
REASONS: dict[tuple[str, str, str], str] = {}
