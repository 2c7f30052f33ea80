"""check finds damage and says so in its exit code; adopt takes over old folders; info tells the truth."""

import os
import time

from cli_support import make_session, make_step, tree


def age(folder, days=2):
    """Makes all that lies below the folder look as if nothing had touched it for days."""
    then = time.time() - days * 86400
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (then, then))


def test_a_healthy_store(stepstore, store, tmp_path):
    stepstore("import", store, make_session(tmp_path / "s", 3))
    lines = stepstore("check", store).lines
    assert lines[-1] == "healthy"
    assert "1 session, 3 steps, " in lines[-2]
    assert "give --data" in lines[-2]
    assert "every checksum was compared" in stepstore("check", "--data", store).lines[-2]
    report = stepstore("check", "--data", "--json", store, "s").json()
    assert report["healthy"]
    assert report["data_verified"]
    assert report["steps"] == 3
    assert report["findings"] == []
    assert stepstore("check", "--json", store, "nobody").json()["steps"] == 0


def test_damage(stepstore, store, tmp_path):
    stepstore("import", store, make_session(tmp_path / "s", 3))
    html = store / "s" / "0001" / "observation.html"
    data = bytearray(html.read_bytes())
    data[3] ^= 1
    html.chmod(0o600)
    html.write_bytes(data)
    result = stepstore("check", "--data", store, code=11)
    assert result.lines[-1] == "DAMAGED"
    assert "s/0001/observation.html" in result.lines[0]
    report = stepstore("check", "--data", "--json", store, code=11).json()
    assert not report["healthy"]
    assert [f["kind"] for f in report["findings"]] == ["corrupt"]
    assert stepstore("get", "--json", store, "s", "0001", code=11).error()["code"] == "Corrupt"
    result = stepstore("export", store, "s", tmp_path / "out", code=12)
    assert "not exported: s/0001" in result.err
    assert sorted(os.listdir(tmp_path / "out" / "s")) == ["0000", "0002"]
    html.unlink()
    findings = stepstore("check", "--json", store, code=11).json()["findings"]
    assert [f["kind"] for f in findings] == ["missing"]


def test_adopt(stepstore, store, tmp_path):
    stepstore("put", store, "new", "1", "--action-json", "1")
    make_step(store / "old" / "0001", 1)
    make_step(store / "young" / "0001", 2)
    age(store / "old")
    before = tree(store / "old")
    dry = stepstore("adopt", store)
    assert "would adopt old 0001" in dry.lines
    assert "Give --apply" in dry.lines[-1]
    assert stepstore("adopt", "--json", "--dry-run", store).json()["adopted"] == [{"session": "old", "step": "0001"}]
    assert tree(store / "old") == before
    assert stepstore("ls", store, "old").lines == []
    assert stepstore("ls", "--legacy", store, "old").lines == ["0001"]
    stepstore("get", "--legacy", store, "old", "0001", "--dir", tmp_path / "out")
    assert tree(tmp_path / "out") == before_step(before)
    applied = stepstore("adopt", "--apply", "--json", store).json()
    assert not applied["dry_run"]
    assert applied["adopted"] == [{"session": "old", "step": "0001"}]
    assert stepstore("ls", store, "old").lines == ["0001"]
    stepstore("get", store, "old", "0001", "--dir", tmp_path / "out")
    assert stepstore("adopt", store).lines[-1].startswith("would adopt 0 steps")
    stepstore("adopt", "--apply", "--dry-run", store, code=2)


def before_step(files):
    return {name.removeprefix("0001/"): data for name, data in files.items()}


def test_info(stepstore, store):
    info = stepstore("info", "--json", store).json()
    assert info["backend"] == "local"
    assert info["location"].endswith(str(store))
    assert info["fsync"]
    assert info["durable"]
    assert {"stack", "format", "reason", "notes"} <= set(info)
    text = stepstore("info", store).out
    assert f"\nlocation   {info['location']}\n" in text
    assert "\nfsync      yes\n" in text
    memory = stepstore("info", "--json", "memory:").json()
    assert memory["backend"] == "memory"
    assert not memory["durable"]
