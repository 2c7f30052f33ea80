"""ls: order, pages, filters and both forms of output."""

import json

from cli_support import make_session


def fill(stepstore, store, tmp_path, steps=5):
    make_session(tmp_path / "runs" / "login", steps)
    make_session(tmp_path / "runs" / "logout", 1)
    stepstore("import", store, tmp_path / "runs")


def test_an_empty_store_and_an_unknown_session_list_nothing(stepstore, store):
    assert stepstore("ls", store).out == ""
    assert stepstore("ls", store, "nobody").out == ""
    assert stepstore("ls", "--json", "memory:").out == ""


def test_sessions_and_steps(stepstore, store, tmp_path):
    fill(stepstore, store, tmp_path)
    assert stepstore("ls", store).lines == ["login", "logout"]
    assert stepstore("ls", store, "login").lines == ["0000", "0001", "0002", "0003", "0004"]
    assert stepstore("ls", "--json", store).jsons() == [{"session": "login"}, {"session": "logout"}]
    assert stepstore("ls", "--json", store, "logout").jsons() == [{"session": "logout", "step": "0000"}]


def test_filters(stepstore, store, tmp_path):
    fill(stepstore, store, tmp_path)
    assert stepstore("ls", store, "login", "--after", "0002").lines == ["0003", "0004"]
    assert stepstore("ls", store, "login", "--limit", "2").lines == ["0000", "0001"]
    assert stepstore("ls", store, "login", "--after", "0001", "--limit", "2").lines == ["0002", "0003"]
    assert stepstore("ls", store, "login", "--prefix", "0003").lines == ["0003"]
    assert stepstore("ls", store, "--prefix", "logo").lines == ["logout"]
    assert stepstore("ls", store, "login", "--prefix", "x").lines == []


def test_long_lists_of_steps(stepstore, store, tmp_path):
    fill(stepstore, store, tmp_path)
    header, first, *_ = stepstore("ls", "-l", store, "login").lines
    assert header.split() == ["VERSION", "SIZE", "CREATED", "STEP", "COMPONENTS"]
    version, size, unit, created, step, components = first.split()
    assert (version, unit, step) == ("1", "B", "0000")
    assert set(components.split(",")) == {"html", "screenshot", "action"}
    assert created.endswith("Z")
    assert len(created) == 24
    info = stepstore("ls", "-l", "--json", store, "login").jsons()[0]
    assert info["size"] == sum(c["size"] for c in info["components"]) == int(size)
    assert info["path"] == "login/0000"
    assert info["version"] == 1
    assert not info["legacy"]
    assert {c["path"] for c in info["components"]} == {"observation.html", "screenshot.png", "action.json"}
    assert all(len(c["crc64nvme"]) == 16 for c in info["components"])


def test_long_lists_of_sessions_count_steps(stepstore, store, tmp_path):
    fill(stepstore, store, tmp_path)
    assert [line.split() for line in stepstore("ls", "-l", store).lines] == [
        ["STEPS", "SESSION"], ["5", "login"], ["1", "logout"],
    ]  # fmt: skip
    assert stepstore("ls", "-l", "--json", store).jsons()[0] == {"session": "login", "steps": 5}


def test_more_than_a_page(stepstore, store, tmp_path):
    names = [f"{n:05}" for n in range(1203)]
    for name in names:
        folder = tmp_path / "big" / name
        folder.mkdir(parents=True)
        (folder / "action.json").write_text(name.lstrip("0") or "0")
    stepstore("import", f"file://{store}", tmp_path / "big")
    assert stepstore("ls", store, "big").lines == names
    assert stepstore("ls", store, "big", "--limit", "1100").lines == names[:1100]
    assert [json.loads(line)["step"] for line in stepstore("ls", "--json", store, "big").lines] == names
