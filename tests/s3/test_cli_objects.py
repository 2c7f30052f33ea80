"""The command on every server: links that it prints, and the key of SSE-C from a file or a variable."""

from __future__ import annotations

import base64
import json
import secrets
import urllib.request
from pathlib import Path

import pytest
from cli_support import Command, png
from s3_support import Server


def test_the_command_prints_links(s3: Server, prefix: str, stepstore: Command) -> None:
    uri = s3.uri(prefix)
    stepstore("put", uri, "s", "1", "--action-json", "{}", "--html", "-", stdin=b"<p>", env=s3.keys)
    told = stepstore("presign", uri, "s", "1", "html", "--expires", "30m", env=s3.keys)
    (url,) = told.lines
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == b"<p>"
    assert "stepstore: valid until 20" in told.err
    assert {line.split("  ")[0] for line in stepstore("presign", "-q", uri, "s", "1", env=s3.keys).lines} == {
        "action", "html",
    }  # fmt: skip
    upload = stepstore("presign", "--put", uri, "inbox", "1", "screenshot", env=s3.keys).lines
    headers = dict(line.split(": ", 1) for line in upload[1:])
    assert headers == {"Content-Type": "image/png", "If-None-Match": "*"}
    request = urllib.request.Request(upload[0], data=png(), headers=headers, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    (line,) = stepstore("presign", "--json", uri, "s", "1", "action", env=s3.keys).lines
    link = json.loads(line)
    assert sorted(link) == ["component", "expires_at", "headers", "key", "method", "note", "url"]
    assert (link["component"], link["key"], link["note"]) == ("action", "s/1/action.json", None)
    assert stepstore("presign", uri, "s", "none", env=s3.keys, code=3).out == ""
    for wrong in ("8d", "0s", "1w", "", "-1h", "h", "99999999999999999999d"):
        assert "--expires" in stepstore("presign", uri, "s", "1", f"--expires={wrong}", env=s3.keys, code=2).err
    assert "needs a component" in stepstore("presign", "--put", uri, "s", "2", env=s3.keys, code=2).err


def test_the_command_takes_the_key_from_a_file_or_a_variable(
    s3: Server, prefix: str, stepstore: Command, tmp_path: Path
) -> None:
    if "no-sse-c" in s3.traits:
        pytest.skip("no-sse-c")
    text = base64.b64encode(secrets.token_bytes(32)).decode()
    (tmp_path / "key").write_text(text + "\n")
    uri = s3.uri(prefix)
    stepstore("put", s3.uri(prefix, sse_c_key_file=str(tmp_path / "key")), "s", "1", "--action-json", "1", env=s3.keys)
    told = stepstore("-vv", "get", uri, "s", "1", "--component", "action", env={**s3.keys, "SM_S3_SSE_C_KEY": text})
    assert told.out == "1"
    assert text not in told.err
    refused = stepstore("get", uri, "s", "1", "--component", "action", env=s3.keys, code=None)
    assert refused.code != 0
    assert refused.out == ""
