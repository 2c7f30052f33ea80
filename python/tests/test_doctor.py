"""doctor() tells what a store does, blocking and awaited alike."""

import asyncio
from pathlib import Path

import pytest
import stepstore
from stepstore import DoctorReport, StorageManager, aio


def check(report: DoctorReport) -> None:
    assert report.fit is True
    assert report.left_behind == ()
    assert report.server == ""
    assert len({row.name for row in report.rows}) == len(report.rows) >= 20
    assert {row.verdict for row in report.rows} == {"yes"}
    assert all(row.seen and row.tried and not row.advice for row in report.rows)


def test_a_directory(tmp_path: Path) -> None:
    with StorageManager(tmp_path / "store") as store:
        store.store_step_data("s", "1", "<p>")
        report = store.doctor()
        check(report)
        assert report.notes == ()
        assert report.location == str(tmp_path / "store")
        assert store.list_sessions() == ["s"]
        assert store.check().findings == ()


def test_awaited() -> None:
    async def examine() -> DoctorReport:
        async with aio.StorageManager("memory:") as store:
            return await store.doctor()

    check(asyncio.run(examine()))


def test_a_later_format_is_not_fit(tmp_path: Path) -> None:
    marker = tmp_path / ".stepstore" / "format.json"
    marker.parent.mkdir()
    marker.write_text('{"format":"1.0","reader_min":1,"writer_min":2}')
    with StorageManager(tmp_path) as store:
        report = store.doctor()
    assert not report.fit
    (row,) = [row for row in report.rows if row.verdict != "yes"]
    assert (row.area, row.name, row.verdict, row.needed) == ("store", "format", "no", True)
    assert row.advice == "Use a newer stepstore."


def test_a_server_that_is_not_there_raises() -> None:
    keys = {"access_key_id": "a", "secret_access_key": "b"}
    uri = "s3://bucket?endpoint=http://127.0.0.1:9&region=us-east-1"
    with StorageManager(uri, credentials=keys) as store, pytest.raises(stepstore.Unavailable):
        store.doctor(timeout=20)
