"""Wrong arguments are refused by name before anything happens; odd paths and texts are taken."""

import os
from pathlib import Path
from typing import Any

import pytest
import stepstore
from stepstore import StepData, StorageManager

WRONG_TYPES = [
    ({"session_id": 1}, "session_id is int"),
    ({"step_id": b"1"}, "step_id is bytes"),
    ({"html_content": 5}, "html_content is int"),
    ({"html_content": Path("x")}, "html_content is"),
    ({"html_content": memoryview(b"abcdef")[::2]}, "html_content is not contiguous"),
    ({"screenshot_bytes": "path"}, "screenshot_bytes is str"),
    ({"action_data": memoryview(b"[1, 2]")[::2]}, "action_data is not contiguous"),
    ({"components": {"x": 1}}, "component 'x' is int"),
    ({"components": {1: b""}}, "component name is int"),
    ({"components": {"x": (b"a", None)}}, "content type of component 'x' is NoneType"),
    ({"components": {"x": (b"a", "b", "c")}}, "component 'x' is a tuple of 3"),
    ({"components": [("x", b"a")]}, "components is list"),
    ({"timeout": "5"}, "timeout is str"),
    ({"timeout": True}, "timeout is bool"),
    ({"if_version": "1"}, "if_version is str"),
    ({"if_version": True}, "if_version is bool"),
    ({"if_exists": []}, "if_exists is list"),
    ({"keep_versions": 1.5}, "keep_versions is float"),
]
WRONG_VALUES = [
    ({"if_version": -1}, "if_version is -1"),
    ({"if_version": 2**64}, "if_version is 18446744073709551616"),
    ({"timeout": float("nan")}, "timeout is not a number"),
    ({"keep_versions": "some"}, "keep_versions is 'some'"),
    ({"step_id": "\ud800"}, "not valid Unicode"),
    ({"components": {"x": Path("a\0b")}}, "NUL"),
    ({"components": {"x": Path("\ud800")}}, "no encoding"),
    ({"screenshot_bytes": Path("a\0b")}, "NUL"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG_TYPES)
def test_wrong_types_are_type_errors(store: StorageManager, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        store.store_step_data(**({"session_id": "s", "step_id": "1"} | wrong))
    assert store.list_sessions() == []


@pytest.mark.parametrize(("wrong", "message"), WRONG_VALUES)
def test_wrong_values_are_invalid_arguments(store: StorageManager, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(stepstore.InvalidArgument, match=message) as caught:
        store.store_step_data(**({"session_id": "s", "step_id": "1"} | wrong))
    assert caught.value.operation == "store_step_data"
    assert caught.value.key.startswith("s/")
    assert str(caught.value).startswith("InvalidArgument in store_step_data of 's/")
    assert store.list_sessions() == []


def test_other_calls_check_theirs(store: StorageManager) -> None:
    for call in (
        lambda: store.retrieve_step_data("s", None),  # type: ignore[arg-type]
        lambda: store.list_sessions(prefix=b"x"),  # type: ignore[arg-type]
        lambda: store.list_sessions(limit=True),
        lambda: store.iter_sessions(prefix=1),  # type: ignore[arg-type]
        lambda: store.check(3),  # type: ignore[arg-type]
        lambda: store.store_steps([("s", "1")]),  # type: ignore[list-item]
        lambda: StorageManager(5),  # type: ignore[arg-type]
        lambda: StorageManager("memory:", fsync="no"),  # type: ignore[arg-type]
        lambda: StorageManager("memory:", concurrency="8"),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()
    for refused, operation in (
        (lambda: store.retrieve_step_data("s", "1", version=-1), "retrieve_step_data"),
        (lambda: store.list_sessions(after="\ud800"), "list_sessions"),
        (lambda: store.list_steps("s", limit=0), "list_steps_for_session"),
        (lambda: store.delete_session("\ud800"), "delete_session"),
    ):
        with pytest.raises(stepstore.InvalidArgument) as caught:
            refused()
        assert caught.value.operation == operation


@pytest.mark.parametrize("wrong", [{"uri": "a\0b"}, {"local_base_path": "a\0b"}, {"uri": "\ud800"}])
def test_a_store_path_that_no_system_takes_is_a_config_error(wrong: dict[str, str]) -> None:
    with pytest.raises(stepstore.ConfigError):
        StorageManager(**wrong)  # type: ignore[arg-type]


def test_no_timeout_is_no_limit(store: StorageManager) -> None:
    store.store_step_data("s", "1", "x", timeout=None)
    assert store.retrieve_step_data("s", "1", timeout=float("inf")).html_content == "x"
    assert store.list_steps("s", timeout=None) == ["1"]


def test_a_batch_can_keep_every_version(store: StorageManager) -> None:
    for text in ("a", "b"):
        store.store_steps([StepData("s", "1", text)], keep="critical")
    assert store.retrieve_step_data("s", "1", version=1).html_content == "a"


def test_paths_of_bytes_and_odd_bytes_are_files(store: StorageManager, tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff.bin"
    with open(odd, "wb") as file:
        file.write(b"data")
    with os.scandir(os.fsencode(tmp_path)) as entries:
        entry = next(entry for entry in entries if entry.path == odd)
    store.store_step_data("s", "1", None, entry, components={"x": entry, "y": Path(os.fsdecode(odd))})
    step = store.retrieve_step_data("s", "1")
    assert (step.screenshot_bytes, step.components["x"], step.components["y"]) == (b"data", b"data", b"data")
    with pytest.raises(stepstore.NotFound) as caught:
        store.store_step_data("s", "2", components={"x": Path(os.fsdecode(odd + b"-"))})
    assert "\udcff" in str(caught.value)


def test_a_store_may_lie_in_a_path_that_is_no_text(tmp_path: Path) -> None:
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/st\xff"))
    with StorageManager(place) as store:
        store.store_step_data("s", "1", "x")
        assert store.get_storage_info().location == str(place)
    assert (place / "s/1/observation.html").exists()


def test_file_names_that_are_no_text_are_told(tmp_path: Path) -> None:
    with StorageManager(tmp_path) as store:
        store.store_step_data("s", "1", "x")
        with open(os.fsencode(tmp_path) + b"/s/1/\xff\xfe.bin", "wb"):
            pass
        os.mkdir(os.fsencode(tmp_path) + b"/\xffs")
        findings = store.check().findings
        assert store.list_steps("s") == ["1"]
        assert "s" in store.list_sessions()
    assert any("\udcff\udcfe.bin" in finding.key for finding in findings), findings
