"""put and get: what goes in comes out byte for byte, and options mean what the manual says."""

import json

import pytest
from cli_support import make_step, png, tree


def test_a_step_comes_back_as_the_same_files(stepstore, store, tmp_path):
    step = make_step(tmp_path / "in", 7, har=b"\x00\x01binary")
    stepstore(
        "put", store, "login", "0001",
        "--html", step / "observation.html", "--screenshot", step / "screenshot.png",
        "--action", step / "action.json", "--metadata", step / "metadata.json",
        "--component", f"har={step / 'har'}:application/json",
    )  # fmt: skip
    stepstore("get", store, "login", "0001", "--dir", tmp_path / "out" / "step")
    assert tree(tmp_path / "out" / "step") == tree(step)


def test_put_prints_the_receipt(stepstore, store, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>")
    result = stepstore("put", store, "login", "0001", "--html", page)
    assert result.lines == ["stored login 0001 version 1", "  html  login/0001/observation.html"]
    receipt = stepstore("put", "--json", store, "login", "0001", "--html", page).json()
    assert receipt["version"] == 2
    assert receipt["state"] == "committed"
    assert not receipt["skipped"]
    assert receipt["session"] == "login"
    assert len(receipt["commit_id"]) == 26
    assert list(receipt["paths"]) == ["html"]
    assert stepstore("put", "-q", store, "login", "0001", "--html", page).out == ""


def test_if_exists(stepstore, store):
    put = ("put", "--json", store, "s", "1", "--action-json")
    stepstore(*put, "1", "--if-exists", "fail")
    assert stepstore(*put, "2", "--if-exists", "fail", code=4).error()["code"] == "AlreadyExists"
    assert stepstore(*put, "1", "--if-exists", "skip_identical").json()["skipped"]
    assert stepstore(*put, "1").json()["version"] == 2
    assert stepstore(*put, "3", "--if-exists", "skip_identical").json()["version"] == 3
    assert stepstore(*put, "3", "--if-exists", "never", code=2).error()["code"] == "usage"


def test_if_version(stepstore, store):
    put = ("put", "--json", store, "s", "1", "--action-json", "1", "--if-version")
    assert stepstore(*put, "0").json()["version"] == 1
    assert stepstore(*put, "0", code=5).error()["code"] == "Conflict"
    assert stepstore(*put, "1").json()["version"] == 2
    stepstore(*put, "x", code=2)


def test_kept_versions_can_be_read(stepstore, store):
    for n in "123":
        stepstore("put", store, "s", "1", "--action-json", n, "--keep-versions", "2")
    get = ("get", store, "s", "1", "--component", "action", "--version")
    assert stepstore(*get, "3").out == "3"
    assert stepstore(*get, "2").out == "2"
    stepstore(*get, "1", code=3)
    stepstore("put", store, "s", "1", "--action-json", "4", "--keep-versions", "all")
    assert stepstore(*get, "2").out == "2"
    stepstore("put", store, "s", "1", "--action-json", "4", "--keep-versions", "0", code=2)


def test_standard_input_is_a_part(stepstore, store):
    page = b"<p>" + b"x" * 3_000_000
    stepstore("put", store, "s", "1", "--html", "-", stdin=page)
    assert stepstore("get", store, "s", "1", "--component", "html").stdout == page
    stepstore("put", store, "s", "2", "--action", "-", stdin=b'{"a": 1}')
    assert stepstore("get", store, "s", "2", "--component", "action").stdout == b'{"a": 1}'
    error = stepstore("put", store, "s", "3", "--html", "-", "--action", "-", code=2).err
    assert "one part" in error


def test_a_pipe_is_a_part(stepstore, store):
    read_end, write_end = __import__("os").pipe()
    with open(write_end, "wb") as pipe:
        pipe.write(b"<p>piped")
    stepstore("put", store, "s", "1", "--html", f"/dev/fd/{read_end}", pass_fds=[read_end])
    assert stepstore("get", store, "s", "1", "--component", "html").stdout == b"<p>piped"


def test_content_types_of_components(stepstore, store, tmp_path):
    odd = tmp_path / "a:b.har"
    odd.write_bytes(b"{}")
    stepstore(
        "put", store, "s", "1", "--component", f"one={odd}",
        "--component", f"two={odd}:application/json", "--component", f"[a,b]={odd}:text/plain; charset=utf-8",
    )  # fmt: skip
    (step,) = stepstore("ls", "-l", "--json", store, "s").jsons()
    types = {c["name"]: c["content_type"] for c in step["components"]}
    assert types["two"] == "application/json"
    assert types["[a,b]"] == "text/plain; charset=utf-8"
    assert set(types) == {"one", "two", "[a,b]"}
    for wrong in ("one", "=x", "one="):
        stepstore("put", store, "s", "1", "--component", wrong, code=2)


def test_put_refuses_what_cannot_be_stored(stepstore, store, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_bytes(b'{"a": 1,\n "b": }\n')
    error = stepstore("put", store, "s", "1", "--action", broken, code=7).err
    assert f"{broken}: it is not valid JSON at line 2, column 7 (byte 16)" in error
    assert "--metadata-json" in stepstore("put", store, "s", "1", "--metadata-json", "{", code=7).err
    stepstore("put", store, "s", "1", code=2)
    stepstore("put", store, "s", "1", "--html", tmp_path / "absent", code=3)
    stepstore("put", store, "s", "1", "--html", tmp_path, code=13)
    stepstore("put", store, "s" * 300, "1", "--action-json", "1", code=7)
    stepstore("put", store, "", "1", "--action-json", "1", code=7)
    stepstore("put", store, "s", "1", "--action-json", "1", "--action", broken, code=2)
    assert stepstore("ls", store).out == ""


def test_get_one_component(stepstore, store, tmp_path):
    shot = tmp_path / "shot.png"
    shot.write_bytes(png())
    stepstore("put", store, "s", "1", "--screenshot", shot, "--metadata-json", ' {"a":1}')
    get = ("get", store, "s", "1", "--component")
    assert stepstore(*get, "screenshot").stdout == png()
    assert stepstore(*get, "metadata").stdout == b' {"a":1}'
    stepstore(*get, "html", code=3)
    out = tmp_path / "out.png"
    stepstore(*get, "screenshot", "-o", out)
    assert out.read_bytes() == png()
    stepstore(*get, "screenshot", "-o", out)  # the same bytes: nothing to do
    out.write_bytes(b"mine")
    stepstore(*get, "screenshot", "-o", out, code=4)
    assert out.read_bytes() == b"mine"
    stepstore(*get, "screenshot", "-o", out, "--force")
    assert out.read_bytes() == png()
    stepstore(*get, "screenshot", "-o", "/dev/null", "--force")
    stepstore(*get, "screenshot", "--json", code=2)
    stepstore("get", store, "s", "1", "-o", out, code=2)
    assert [f.name for f in tmp_path.iterdir() if f.name.startswith(".")] == []


def test_get_a_folder(stepstore, store, tmp_path):
    stepstore("put", store, "s", "a b", "--action-json", "1")
    report = stepstore("get", "--json", store, "s", "a b").json()
    assert report["files"] == ["action.json"]
    assert report["written_to"] == "a%20b"
    assert (stepstore.cwd / "a%20b" / "action.json").read_text() == "1"
    assert stepstore("get", store, "s", "a b").out.startswith("unchanged ")
    stepstore("put", store, "s", "a b", "--action-json", "2")
    stepstore("get", store, "s", "a b", code=4)
    assert (stepstore.cwd / "a%20b" / "action.json").read_text() == "1"
    (stepstore.cwd / "a%20b" / "folder").mkdir()
    (stepstore.cwd / "a%20b" / "folder" / "mine").write_text("")
    stepstore("get", store, "s", "a b", "--force")
    assert tree(stepstore.cwd) == {"a%20b/action.json": b"2"}
    stepstore("get", store, "s", "a b", "--dir", "..", code=2)
    stepstore("get", store, "s", "nope", code=3)
    stepstore("get", store, "s", "a b", "--dir", tmp_path / "x", "--component", "action", code=2)


@pytest.mark.parametrize("name", ["action", "metadata"])
def test_json_comes_back_verbatim(stepstore, store, name):
    text = '{"b":1,  "a":[1.0, 1e2 ,"\\u00e9"]}\n'
    stepstore("put", store, "s", "1", f"--{name}-json", text)
    assert stepstore("get", store, "s", "1", "--component", name).out == text
    assert json.loads(text)
