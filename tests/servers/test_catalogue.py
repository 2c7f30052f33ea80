"""The servers do what every test relies on, and the table of what they do not do is true."""

import json
import sys

from servers_support import HERE, servers_py

sys.path.insert(0, str(HERE))
from install import GO_PROGRAMS


def test_the_servers_are_right_about_what_tests_rely_on():
    python = servers_py("where", "moto").stdout.strip() + "/bin/python"
    done = servers_py("run", "stepstore", "moto", "versitygw", "--", python, str(HERE / "check_with_boto3.py"))
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stepstore: right" in done.stdout
    assert "moto: right" in done.stdout
    assert "versitygw: right" in done.stdout


def test_the_table_of_traits_is_true():
    done = servers_py("run", "stepstore", "moto", "versitygw", "--", sys.executable, str(HERE / "probe.py"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_table_is_found():
    swap = "STEPSTORE_TEST_SERVERS=$(echo \"$STEPSTORE_TEST_SERVERS\" | sed 's/raw-listings/ignores-checksums/')"
    done = servers_py("run", "versitygw", "--", "sh", "-c", f"{swap} {sys.executable} {HERE / 'probe.py'}")
    assert done.returncode == 1
    assert "has ignores-checksums, and it is not so" in done.stdout
    assert "lacks raw-listings, and it is so" in done.stdout


def test_list_names_every_server_and_explains_every_trait():
    listed = json.loads(servers_py("list", "--json").stdout)
    assert [each["name"] for each in listed["servers"]] == [
        "stepstore", "moto", "versitygw", "ceph16", "minio", "rclone", "gofakes3", "s3proxy",
    ]  # fmt: skip
    used = {trait for each in listed["servers"] for trait in each["traits"]}
    assert used == listed["traits"].keys()
    text = servers_py("list").stdout
    for each in listed["servers"]:
        assert f"{each['name']} {each['version']}: {each['why']}" in text
    assert all(f"{trait} " in text and meaning in text for trait, meaning in listed["traits"].items())


def test_a_build_in_go_is_of_the_version_that_the_table_is_about():
    listed = {each["name"]: each["version"] for each in json.loads(servers_py("list", "--json").stdout)["servers"]}
    assert GO_PROGRAMS.keys() < listed.keys()
    for name, (_, version) in GO_PROGRAMS.items():
        assert version.startswith(f"v{listed[name]}"), name


def test_pip_installs_the_version_that_the_table_is_about():
    moto = next(each for each in json.loads(servers_py("list", "--json").stdout)["servers"] if each["name"] == "moto")
    assert f"moto[s3]=={moto['version']}\n" in (HERE / "requirements.txt").read_text()
