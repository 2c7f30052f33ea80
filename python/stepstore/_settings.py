"""What a manager is opened with, for the blocking one and the one for asyncio."""

from __future__ import annotations

import os
from dataclasses import dataclass

from stepstore import _core, _log, _s3_inputs
from stepstore._inputs import Arguments, KeepVersions
from stepstore._renewal import Renewal
from stepstore._s3_inputs import AsyncCredentials, Reach
from stepstore._values import S3ObjectSettings, StorageInfo


@dataclass(slots=True, weakref_slot=True, eq=False)
class Opened:
    """The library's manager, and what may be on its way to it at the same time."""

    core: _core.Manager
    steps_max: int
    bytes_max: int
    renewal: Renewal | None = None  # of a function's credentials


def open_core(  # noqa: PLR0917
    uri: str | os.PathLike[str] | None,
    local_base_path: str | os.PathLike[str] | None,
    fsync: bool | None,
    keep_versions: KeepVersions,
    concurrency: int,
    in_flight_bytes_max: int,
    s3_names: tuple[str | None, str | None, str | None, str | None],
    credentials: AsyncCredentials | None,
    reach: Reach,
    prefer_s3: bool,
    s3_objects: S3ObjectSettings | None,
) -> Opened:
    """Checks the settings and opens the store, which is not touched yet."""
    given = Arguments("StorageManager")
    place = given.place(uri, "uri")
    bucket, region, endpoint, profile = s3_names
    names = (
        _s3_inputs.name(given, bucket, "s3_bucket_name"),
        _s3_inputs.name(given, region, "s3_region_name"),
        _s3_inputs.name(given, endpoint, "s3_endpoint_url"),
        _s3_inputs.name(given, profile, "s3_profile"),
    )
    threads = given.concurrency(concurrency)
    bytes_max = given.number(in_flight_bytes_max, "in_flight_bytes_max", 1, 2**63 - 1)
    renewal = Renewal(credentials) if _s3_inputs.is_function(credentials) else None  # type: ignore[arg-type]
    settings = (
        given.place(local_base_path, "local_base_path"),
        given.flag(fsync, "fsync"),
        given.kept(keep_versions) or 1,
        threads,
        bytes_max,
        names,
        _s3_inputs.credentials(given, None if renewal else credentials),
        _s3_inputs.network(given, reach),
        given.flag(prefer_s3, "prefer_s3") is not False,
        renewal is not None,
        _s3_inputs.objects(given, s3_objects),
    )
    _log.follow()
    # Twice as many steps as threads, so that no thread waits for the caller.
    core = _core.Manager(place or b"", *settings)
    if core.info()["backend"] != "s3":
        renewal = None
    return Opened(core, 2 * threads, bytes_max, renewal)


def storage_info(core: _core.Manager) -> StorageInfo:
    """Where the store lies and what it promises."""
    raw = core.info()
    return StorageInfo(**{**raw, "notes": tuple(raw["notes"])})


def shown(opened: Opened | None, name: str) -> str:
    """For repr()."""
    if opened is None:
        return f"<{name}>"
    info = opened.core.info()
    return f"<{name} {info['location']!r} ({info['backend']})>"
