"""What goes in through Python comes back: text, bytes, JSON, files, versions, batches, listings."""

import datetime
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import stepstore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stepstore import StepData, StorageManager

PNG = b"\x89PNG\r\n\x1a\n picture"
LOOSE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def test_step_unpacks_as_html_screenshot_action(store: StorageManager) -> None:
    receipt = store.store_step_data("s", "1", "<p>ä</p>", PNG, {"type": "click"}, {"url": "x"})
    html, screenshot, action = store.retrieve_step_data("s", "1")
    assert (html, screenshot, action) == ("<p>ä</p>", PNG, {"type": "click"})
    assert receipt.state == "committed"
    assert receipt["html_path"] == "s/1/observation.html"
    assert dict(receipt) == {
        "html_path": "s/1/observation.html",
        "screenshot_path": "s/1/screenshot.png",
        "action_path": "s/1/action.json",
    }
    step = store.retrieve_step_data("s", "1")
    assert step.commit_id == receipt.commit_id
    assert step.component_info["screenshot"].size == len(PNG)
    assert list(step.component_info) == list(step.components)
    assert step.metadata == {"url": "x"}
    assert step.html_bytes == "<p>ä</p>".encode()
    assert (step.session_id, step.step_id, step.version) == ("s", "1", 1)
    assert abs(step.created_at - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=5)
    assert step.expires_at is None
    assert dict(step.components) == {"html": step.html_bytes, "screenshot": PNG, "action": b'{"type": "click"}'}


def test_absent_is_none_and_empty_is_empty(store: StorageManager) -> None:
    store.store_step_data("s", "1", "", b"")
    step = store.retrieve_step_data("s", "1")
    assert (step.html_content, step.screenshot_bytes, step.action_data, step.metadata) == ("", b"", None, None)


@LOOSE
@given(html=st.text() | st.binary(), screenshot=st.binary(), step_id=st.text(min_size=1, max_size=20))
def test_any_text_and_bytes_come_back(html: str | bytes, screenshot: bytes, step_id: str) -> None:
    with StorageManager("memory:") as store:
        store.store_step_data("s", step_id, html, screenshot)
        step = store.retrieve_step_data("s", step_id)
        assert step.html_bytes == (html.encode() if isinstance(html, str) else html)
        assert step.screenshot_bytes == screenshot
        assert store.list_steps("s") == [step_id]
        if isinstance(html, str):
            assert step.html_content == html
        else:
            assert isinstance(step.html_content, str)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@LOOSE
@given(action=JSON, metadata=JSON)
def test_any_json_comes_back(action: Any, metadata: Any) -> None:
    with StorageManager("memory:") as store:
        store.store_step_data("s", "1", action_data=action, metadata=metadata)
        step = store.retrieve_step_data("s", "1")
        assert (step.action_data, step.metadata) == (action, metadata)


def test_bytes_are_json_text_to_the_byte(store: StorageManager) -> None:
    store.store_step_data("s", "1", action_data=b' {"a": 1.50} ')
    assert store.retrieve_step_data("s", "1").components["action"] == b' {"a": 1.50} '


def test_json_default_writes_other_objects(store: StorageManager) -> None:
    store.store_step_data("s", "1", action_data={"path": Path("/x")}, json_default=str)
    assert store.retrieve_step_data("s", "1").action_data == {"path": "/x"}


@pytest.mark.parametrize("bad", [{"x": object()}, {"x": float("nan")}, {1: {2, 3}}, b"{", b"{'a': 1}"])
def test_what_is_no_json_is_refused_before_anything_is_written(store: StorageManager, bad: Any) -> None:
    with pytest.raises(stepstore.InvalidArgument, match="JSON"):
        store.store_step_data("s", "1", "<p>", action_data=bad)
    assert store.list_sessions() == []


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_taken(store: StorageManager, kind: type) -> None:
    store.store_step_data("s", "1", kind(b"<p>"), kind(PNG), components={"x": kind(b"y")})
    step = store.retrieve_step_data("s", "1")
    assert (step.html_bytes, step.screenshot_bytes, step.components["x"]) == (b"<p>", PNG, b"y")


def test_components_come_from_bytes_text_and_files(store: StorageManager, tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(bytes(range(256)) * 40_000)  # 10 MB: streamed
    store.store_step_data(
        "s", "1", components={"video.mp4": video, "note": "hä", "typed": (b"x", "text/x-note"), "../odd": b"odd"}
    )
    step = store.retrieve_step_data("s", "1")
    assert step.components["video.mp4"] == video.read_bytes()
    assert step.components["note"] == "hä".encode()
    assert step.components["../odd"] == b"odd"
    types = {component.name: component.content_type for component in step.info.components}
    assert types["video.mp4"] == "video/mp4"
    assert types["typed"] == "text/x-note"
    with pytest.raises(stepstore.NotFound):
        store.store_step_data("s", "2", components={"x": tmp_path / "missing"})


@pytest.mark.parametrize("bad", ["", "\ud800", "x" * 201])
def test_bad_ids_are_refused(store: StorageManager, bad: str) -> None:
    with pytest.raises(stepstore.InvalidArgument):
        store.store_step_data(bad, "1", "<p>")
    with pytest.raises(ValueError, match="id"):
        store.store_step_data("s", bad, "<p>")


def test_choices_have_their_names(store: StorageManager) -> None:
    assert store.store_step_data("s", "1", "a", if_version=0, keep="critical").version == 1
    assert store.store_step_data("s", "1", "b", keep_versions="all").version == 2
    with pytest.raises(stepstore.AlreadyExists):
        store.store_step_data("s", "1", "c", if_exists="fail")
    with pytest.raises(stepstore.Conflict):
        store.store_step_data("s", "1", "c", if_version=1)
    assert store.store_step_data("s", "1", "b", if_exists="skip_identical").skipped
    assert store.retrieve_step_data("s", "1", version=1).html_content == "a"
    for wrong in ({"if_exists": "maybe"}, {"keep_versions": 0}, {"keep": "some"}):
        with pytest.raises(stepstore.InvalidArgument):
            store.store_step_data("s", "1", "c", **wrong)


def test_batches_give_a_result_per_step(store: StorageManager) -> None:
    steps = [
        StepData("s", f"{i:03}", html_content=f"<p>{i}", action_data=b"{" if i == 5 else {"i": i}) for i in range(20)
    ]
    steps[7] = StepData("s", "007", action_data={"x": object()})
    receipts = store.store_steps(steps)
    for i, receipt in enumerate(receipts):
        assert isinstance(receipt, stepstore.InvalidArgument if i in (5, 7) else stepstore.Receipt), i
    results = store.retrieve_steps([("s", f"{i:03}") for i in range(20)])
    for i, result in enumerate(results):
        if i in (5, 7):
            assert isinstance(result, stepstore.NotFound)
        else:
            assert isinstance(result, stepstore.Step)
            assert result.action_data == {"i": i}


def test_listings_page_and_iterate(store: StorageManager) -> None:
    for i in range(12):
        store.store_step_data(f"session {i:02}", "1", "x")
        store.store_step_data("steps", f"{i:02}", f"<p>{i}")
    assert len(store.list_sessions()) == 13
    assert store.list_sessions(prefix="session", limit=2) == ["session 00", "session 01"]
    assert store.list_sessions(after="session 10") == ["session 11", "steps"]
    assert list(store.iter_sessions(prefix="st")) == ["steps"]
    assert store.list_steps("steps", limit=3, after="02") == ["03", "04", "05"]
    assert [step.step_id for step in store.iter_steps("steps", limit=4)] == ["00", "01", "02", "03"]
    assert store.list_steps_for_session("unknown") == []
    with pytest.raises(stepstore.InvalidArgument):
        store.list_sessions(limit=0)


def test_deleting_checking_and_telling(store: StorageManager) -> None:
    store.store_step_data("s", "1", "x", PNG)
    assert store.delete_step("s", "1").objects == 2
    assert store.delete_step("s", "1").steps == 0
    with pytest.raises(stepstore.NotFound):
        store.stat_step("s", "1")
    store.store_step_data("s", "2", "x")
    assert store.delete_session("s").steps == 1
    report = store.check(data=True)
    assert report.healthy
    assert report.data_verified
    assert store.get_storage_info().format == "1.0"


def test_version_is_the_librarys() -> None:
    assert stepstore.__version__.count(".") == 2


def test_json_of_another_client_is_read(tmp_path: Path) -> None:
    # What lies in the store is plain: any program can read it.
    with StorageManager(tmp_path / "store") as store:
        store.store_step_data("s", "1", "<p>", action_data={"a": 1}, metadata={"b": 2})
    manifest = json.loads((tmp_path / "store/s/1/step.json").read_text())
    assert manifest["metadata"] == {"b": 2}
    assert (tmp_path / "store/s/1/action.json").read_text() == '{"a": 1}'


def test_errors_tell_and_pickle(store: StorageManager) -> None:
    with pytest.raises(LookupError) as caught:
        store.retrieve_step_data("s", "1")
    error = caught.value
    assert isinstance(error, stepstore.NotFound)
    assert (error.code, error.operation, error.key, error.retryable) == ("NotFound", "retrieve_step_data", "s/1", False)
    assert error.advice
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is stepstore.NotFound
    assert again.__dict__ == error.__dict__
    assert str(again) == str(error)
    with pytest.raises(stepstore.InvalidArgument) as caught_argument:
        store.store_step_data("s", "1", action_data=object())
    cause = pickle.loads(pickle.dumps(caught_argument.value)).__cause__
    assert isinstance(cause, TypeError)
    assert str(cause) == str(caught_argument.value.__cause__)


def test_cause_is_the_systems_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with StorageManager(tmp_path / "file") as store, pytest.raises(stepstore.StorageManagerError) as caught:
        store.store_step_data("s", "1", "x")
    assert caught.value.advice


def test_closed_managers_say_so() -> None:
    store = StorageManager("memory:")
    store.close()
    store.close()
    with pytest.raises(stepstore.Closed):
        store.list_sessions()
    forgotten = StorageManager("memory:")
    with pytest.warns(ResourceWarning, match="unclosed"):
        del forgotten


@pytest.mark.parametrize(
    "wrong", [{"uri": "ftp://x"}, {"uri": "x", "local_base_path": "y"}, {"s3_bucket_name": "b c"}, {"concurrency": 0}]
)
def test_wrong_settings_are_config_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(stepstore.ConfigError) as caught:
        StorageManager(**wrong)
    error = caught.value
    assert (error.code, error.operation) == ("ConfigError", "StorageManager")
    assert error.message
    assert error.advice
