"""What stepstore has stored, AWS's own client finds: the keys of docs/format.md, their types, bytes and checksums."""

import base64
import json
import re
import urllib.parse

import pytest
from boto3_support import crc64nvme, exported, recorded, stepstore

TYPES = {".html": "text/html", ".png": "image/png", ".json": "application/json"}
PAGE, PICTURE = b"<p>page</p>", b"\x89PNG\r\n\x1a\npicture"


def encoded(text: str) -> str:
    """As docs/format.md says."""
    out = urllib.parse.quote(text, safe="").replace("~", "%7E")
    return "%2E" + out[1:] if out.startswith(".") else out


def test_a_recording_comes_back_as_it_went_in(folder, recording, tmp_path):
    stepstore("import", folder.uri, recording)
    assert exported(folder.uri, recording.name, tmp_path / "out") == recorded(recording.parent)
    assert len(recorded(recording.parent)) == 30 * 4
    report = json.loads(stepstore("check", "--data", "--json", folder.uri))
    assert (report["healthy"], report["steps"], report["findings"]) == (True, 30, [])
    assert json.loads(stepstore("import", "--json", folder.uri, recording).splitlines()[-1])["stored"] == 0


def test_a_recording_lies_under_the_promised_keys(folder, recording):
    stepstore("import", folder.uri, recording)
    files = {
        f"{recording.name}/{step.name}/{file.name}": file.read_bytes()
        for step in recording.iterdir()
        for file in step.iterdir()
        if file.name != "metadata.json"  # of less than 256 KiB: in step.json
    }
    manifests = [f"{recording.name}/{step.name}/step.json" for step in recording.iterdir()]
    assert len(manifests) == 30
    keys = folder.keys()
    assert keys == sorted([*files, *manifests, ".stepstore/format.json"])
    keeps = folder.keeps_crc64nvme()
    assert keeps or "ignores-checksums" in folder.server["traits"]
    print(f"{folder.server['name']} {'tells' if keeps else 'does not tell'} CRC-64/NVME")
    for key in keys:
        stored = folder.get(key)
        assert stored.content_type == TYPES[key[key.rindex(".") :]], key
        told = [crc64nvme(stored.data) if keeps else None]
        # AWS computes the checksum of what comes without; not every server does.
        assert stored.crc64nvme in (told if key in files else [*told, None]), key
        if key in files:
            assert stored.data == files[key], key


def test_a_manifest_says_what_lies_beside_it(folder, recording):
    stepstore("import", folder.uri, recording)
    for step in recording.iterdir():
        manifest = json.loads(folder.get(f"{recording.name}/{step.name}/step.json").data)
        assert (manifest["format"], manifest["state"], manifest["version"]) == ("1.0", "live", 1)
        assert (manifest["session"], manifest["step"]) == (recording.name, step.name)
        assert manifest["metadata"] == json.loads((step / "metadata.json").read_bytes())
        components = {each["location"]: each for each in manifest["components"]}
        assert sorted(components) == sorted(each.name for each in step.iterdir() if each.name != "metadata.json")
        for location, component in components.items():
            data = (step / location).read_bytes()
            assert component["size"] == len(data)
            assert base64.b64encode(bytes.fromhex(component["crc64nvme"])).decode() == crc64nvme(data)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    (folder / "page").write_bytes(PAGE)
    (folder / "picture").write_bytes(PICTURE)
    return folder


ODD_IDS = [
    "a/b", "..", ".", ".hidden", "a b", "a+b", "%41", "a%2Fb", "tilde~1", "ä", "日本", "😀", "tab\there", "line\nbreak",
    "quote\"'<&>", "back\\slash", "semi;colon?query#hash", "star*", "trailing/", "/leading", "a//b", "x" * 200,
    "😀" * 16,
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD_IDS, ids=ascii)
def test_odd_ids_lie_under_percent_encoded_keys(folder, parts, odd):
    stepstore("put", folder.uri, odd, odd, "--html", parts / "page", "--screenshot", parts / "picture")
    step = f"{encoded(odd)}/{encoded(odd)}"
    assert folder.keys() == sorted(
        [".stepstore/format.json", f"{step}/observation.html", f"{step}/screenshot.png", f"{step}/step.json"]
    )
    assert folder.get(f"{step}/observation.html").data == PAGE
    assert folder.get(f"{step}/screenshot.png").data == PICTURE
    manifest = json.loads(folder.get(f"{step}/step.json").data)
    assert (manifest["session"], manifest["step"]) == (odd, odd)
    assert [json.loads(line)["session"] for line in stepstore("ls", "--json", folder.uri).splitlines()] == [odd]


@pytest.mark.parametrize(
    ("component", "name"),
    [
        ("trace.zip", "trace.zip"),
        ("step.json", "%73tep.json"),
        ("versions", "%76ersions"),
        ("metadata.json", "%6Detadata.json"),
        ("observation.html", "%6Fbservation.html"),
        ("screenshot.png", "%73creenshot.png"),
        ("action.json", "%61ction.json"),
        ("net work/har~1", "net%20work%2Fhar%7E1"),
    ],
)
def test_components_lie_under_their_own_names(folder, parts, component, name):
    stepstore("put", folder.uri, "s", "1", "--component", f"{component}={parts / 'page'}:application/x-odd")
    assert folder.keys() == sorted([".stepstore/format.json", f"s/1/{name}", "s/1/step.json"])
    stored = folder.get(f"s/1/{name}")
    assert (stored.data, stored.content_type) == (PAGE, "application/x-odd")


def test_a_later_version_gets_names_that_are_used_once(folder, parts):
    for html in ("page", "picture"):
        pictured = ("--html", parts / html, "--screenshot", parts / "picture", "--keep-versions", "2")
        stepstore("put", folder.uri, "s", "1", *pictured)
    keys = [key.removeprefix("s/1/") for key in folder.keys() if key.startswith("s/")]  # noqa: SIM118
    assert re.fullmatch(r"observation\.[0-9A-Z]{26}\.html", keys[0])
    assert keys[1:4] == ["observation.html", "screenshot.png", "step.json"], "what has not changed stays where it is"
    assert re.fullmatch(r"versions/1-[0-9A-Z]{26}\.json", keys[4])
    assert len(keys) == 5
    assert folder.get(f"s/1/{keys[0]}").data == PICTURE
    assert folder.get("s/1/observation.html").data == PAGE
    assert folder.get(f"s/1/{keys[4]}").content_type == "application/json"


def test_a_session_recorded_again_lies_beside_its_root(folder, parts):
    stepstore("put", folder.uri, "s", "1", "--html", parts / "page")
    stepstore("rm", "-r", folder.uri, "s")
    assert folder.keys() == [".stepstore/format.json", ".stepstore/sessions/s.json"]
    root = folder.get(".stepstore/sessions/s.json")
    assert (json.loads(root.data)["generation"], root.content_type) == (1, "application/json")
    stepstore("put", folder.uri, "s", "1", "--html", parts / "page")
    # A writer that did not know of the deletion has begun below s/, which is dead now.
    live = [key for key in folder.keys() if not key.startswith((".stepstore/", "s/"))]  # noqa: SIM118
    assert live == ["s~1/1/observation.html", "s~1/1/step.json"]
    assert "s/1/step.json" not in folder.tree()
