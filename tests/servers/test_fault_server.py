"""The command stepstore-fault-server says where it listens, is as weak as it is told, and stops when asked to."""

import json
import pathlib
import re
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from install import fault_server
from signed import S3, Answer

Start = Callable[..., S3]


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def serve(processes: list[subprocess.Popen[str]]) -> Start:
    def begin(*options: object) -> S3:
        command = [str(fault_server()), *map(str, options)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        output = processes[-1].stdout
        assert output is not None
        ready = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", output.readline())
        assert ready
        return S3(ready[1], "any", "any")

    return begin


def put(s3: S3, key: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return s3.request("PUT", f"/checkpoints/{key}", headers=named, body=b"x")


def ended(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(fault_server()), *options], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(serve, processes, number):
    s3 = serve()
    assert put(s3, "k").status == 200
    assert s3.request("GET", "/checkpoints/k").body == b"x"
    processes[0].send_signal(number)
    assert processes[0].wait(60) == 0


def test_the_bucket_has_the_name_that_is_given(serve):
    s3 = serve("--bucket", "mine")
    assert s3.request("HEAD", "/mine").status == 200
    assert s3.request("HEAD", "/checkpoints").status == 404


def test_answers_are_delayed(serve):
    s3 = serve("--delay-ms", 200)
    begun = time.monotonic()
    assert put(s3, "k").status == 200
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize(
    ("options", "create", "quoted", "bare"),
    [
        ([], 412, 200, 200),
        (["--dialect", "ceph16"], 412, 412, 200),
        (["--dialect", "versitygw"], 412, 200, 200),
        (["--dialect", "no-conditions"], 200, 200, 200),
    ],
)
def test_a_dialect_is_weak_in_its_own_way(serve, options, create, quoted, bare):
    s3 = serve(*options)
    put(s3, "k")
    assert put(s3, "k", if_none_match="*").status == create
    assert put(s3, "k", if_match=s3.request("HEAD", "/checkpoints/k").headers["ETag"]).status == quoted
    assert put(s3, "k", if_match=s3.request("HEAD", "/checkpoints/k").headers["ETag"].strip('"')).status == bare


def test_etags_are_md5_when_asked_for(serve):
    assert put(serve("--etag", "md5"), "k").headers["ETag"] == '"9dd4e461268c8034f5c8564e155c67a6"'
    assert put(serve(), "k").headers["ETag"] != '"9dd4e461268c8034f5c8564e155c67a6"'


def test_requests_fail_by_chance(serve):
    assert put(serve("--errors", 1), "k").status == 500
    for option in ("--lost-requests", "--lost-answers"):
        with pytest.raises(OSError, match=r"closed connection|reset"):
            put(serve(option, 1), "k")


def test_the_same_seed_fails_the_same_requests(serve):
    def statuses(seed: int) -> list[int]:
        s3 = serve("--errors", 0.5, "--seed", seed)
        return [put(s3, "k").status for _ in range(40)]

    assert statuses(7) == statuses(7)
    assert statuses(7) != statuses(8)


def test_a_plan_says_what_goes_wrong_and_a_journal_what_came(serve, processes, tmp_path: pathlib.Path):
    plan = tmp_path / "plan.json"
    plan.write_text(
        json.dumps(
            {
                "rules": [
                    {"method": "PUT", "nth": 2, "fault": "slow_down", "retry_after_s": 3},
                    {"method": "GET", "contains": "k", "fault": "flipped_bit"},
                ]
            }
        )
    )
    journal = tmp_path / "journal.jsonl"
    s3 = serve("--plan", plan, "--journal", journal)
    assert put(s3, "k").status == 200
    refused = put(s3, "k")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "3")
    assert s3.request("GET", "/checkpoints/k").body == b"y"
    processes[0].send_signal(signal.SIGTERM)
    assert processes[0].wait(60) == 0
    entries = [json.loads(line) for line in journal.read_text().splitlines()]
    told = [(each["method"], each["key"], each["fate"], each["status"]) for each in entries]
    assert told == [
        ("PUT", "k", "normal", 200),
        ("PUT", "k", "answer", 503),
        ("GET", "k", "change", 200),
    ]
    times = [each["ms"] for each in entries]
    assert times == sorted(times)


def test_a_plan_that_is_not_understood_is_refused(tmp_path: pathlib.Path):
    plan = tmp_path / "plan.json"
    plan.write_text('{"rules": [{"fault": "none"}]}')
    refused = ended("--plan", str(plan))
    assert refused.returncode == 1
    assert f"{plan}: rule 1: there is no fault 'none'; there are: " in refused.stderr


def test_the_faults_are_listed():
    listed = ended("--list-faults")
    assert listed.returncode == 0
    assert "slow_down: 503 SlowDown with Retry-After (1 s)" in listed.stdout.splitlines()


def test_what_is_wrong_is_said(serve):
    port = serve().endpoint.rsplit(":", 1)[1]
    taken = ended("--port", port)
    assert taken.returncode == 1
    assert "stepstore-fault-server: " in taken.stderr
    assert port in taken.stderr
    for options in (["--dialect", "none"], ["--errors", "2"], ["--delay-ms", "-1"], ["--unknown"]):
        assert ended(*options).returncode not in (0, 1)


def test_help_names_every_option():
    done = ended("--help")
    assert done.returncode == 0
    for option in ("port", "bucket", "delay-ms", "dialect", "etag", "seed", "lost-requests", "lost-answers", "errors"):
        assert f"--{option} " in done.stdout


def test_it_speaks_https_with_a_certificate(processes, tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    request += ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run(request, check=True, capture_output=True)
    command = [str(fault_server()), "--certificate", certificate, "--key", key]
    processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    output = processes[0].stdout
    assert output is not None
    endpoint = output.readline().removeprefix("listening on ").strip()
    assert endpoint.startswith("https://")
    trust = ssl.create_default_context(cafile=certificate)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{endpoint}/checkpoints/k", context=trust)


def test_a_certificate_needs_its_key(tmp_path):
    certificate = tmp_path / "certificate.pem"
    certificate.write_text("")
    failed = ended("--certificate", str(certificate))
    assert failed.returncode != 0
    assert "--key" in failed.stderr
