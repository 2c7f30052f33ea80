"""Servers are fetched once; what is missing or failed is named with what helps."""

from pathlib import Path

import pytest
from servers_support import servers_py


@pytest.mark.parametrize(
    ("name", "what"),
    [("moto", "installed"), ("versitygw", "built"), ("minio", "built"), ("rclone", "built"), ("gofakes3", "built")],
)
def test_what_is_not_installed_is_named_with_the_command_that_helps(tmp_path, name, what):
    done = servers_py("run", name, "--", "true", XDG_CACHE_HOME=str(tmp_path))
    said = f"servers.py: {name}: it is not {what}; run: tests/servers/servers.py install {name}\n"
    assert (done.returncode, done.stderr) == (125, said)


@pytest.mark.parametrize("action", ["run", "install", "installed"])
def test_without_the_own_server_the_message_says_how_to_get_it(tmp_path, action):
    done = servers_py(action, "stepstore", STEPSTORE_FAULT_SERVER=str(tmp_path / "none"))
    assert done.returncode in (1, 125)
    assert "stepstore: it is not built; run ./dev build, or set STEPSTORE_FAULT_SERVER" in done.stderr


def test_installing_again_fetches_nothing():
    nothing = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "GOPROXY": "off"}
    assert servers_py("install", "moto", "versitygw", **nothing).returncode == 0


def test_an_installation_that_was_interrupted_does_not_count(tmp_path):
    """All is there but the file that is made last."""
    for name, program in (("moto", "bin/python"), ("versitygw", "versitygw")):
        where = servers_py("where", name, XDG_CACHE_HOME=str(tmp_path)).stdout.strip()
        made = Path(where) / program
        made.parent.mkdir(parents=True)
        made.touch()
        assert servers_py("installed", name, XDG_CACHE_HOME=str(tmp_path)).returncode == 1
        (Path(where) / "complete").touch()
        assert servers_py("installed", name, XDG_CACHE_HOME=str(tmp_path)).returncode == 0


def test_an_installation_that_fails_leaves_nothing_that_looks_whole(tmp_path):
    offline = {"XDG_CACHE_HOME": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "GOPROXY": "off"}
    for name, what in (("moto", "install moto by pip"), ("versitygw", "")):
        done = servers_py("install", name, **offline)
        assert done.returncode == 1
        assert f"servers.py: could not {what}" in done.stderr
        assert "needs the network once" in done.stderr
        assert servers_py("installed", name, **offline).returncode == 1
    assert not [path for path in (tmp_path / "stepstore" / "servers").iterdir() if path.is_dir()]


def fake_ceph(folder: Path, version: str) -> Path:
    for name in ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho ceph version {version}\n")
        program.chmod(0o755)
    return folder


@pytest.mark.parametrize("action", ["run", "install", "installed"])
def test_without_ceph_the_message_says_how_to_get_it(tmp_path, action):
    done = servers_py(action, "ceph16", PATH=str(tmp_path))
    assert done.returncode in (1, 125)
    assert "these programs are missing: ceph, ceph-authtool" in done.stderr
    assert "run, as root: ./dev setup ceph" in done.stderr


def test_another_ceph_than_the_table_is_about_is_refused(tmp_path):
    done = servers_py("installed", "ceph16", PATH=f"{fake_ceph(tmp_path, '18.2.7 reef')}:/usr/bin:/bin")
    assert done.returncode == 1
    assert "this system has Ceph 18; the table of what it does not do is about Ceph 16" in done.stderr
