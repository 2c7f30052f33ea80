"""Our signatures are those of botocore, an independent signer, for random keys, queries, headers and tokens.

Needs the program of sign_lines.cc: $STEPSTORE_SIGN_LINES, else build/dev/tests/sign_lines.
"""

import datetime
import json
import os
import pathlib
import subprocess
import urllib.parse

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("STEPSTORE_SIGN_LINES", ROOT / "build" / "dev" / "tests" / "sign_lines")

# Any text that UTF-8 can carry, often of the characters that signers get wrong.
TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from(" +%/~&=?#*'()!$:;,@<>\"\r\n\tä"), max_size=40)
HEADER_TEXT = st.text(st.sampled_from("abcXYZ019 \t,;:=/\"'-_.~+%()"), max_size=30)
HEADER_NAME = st.sampled_from(
    ["Content-Type", "Range", "If-None-Match", "If-Match", "x-amz-checksum-crc64nvme", "X-Amz-Meta-A", "x-amz-meta-a"]
)
KEY_TEXT = st.text(st.sampled_from("abcXYZ019/+"), min_size=1, max_size=40)

REQUEST = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "PUT", "POST", "HEAD", "DELETE"]),
        "bucket": st.from_regex(r"[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]", fullmatch=True),
        "by_path": st.booleans(),
        "key": TEXT,
        "query": st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=5),
        "headers": st.lists(st.tuples(HEADER_NAME, HEADER_TEXT), max_size=5),
        "access_key": KEY_TEXT,
        "secret_key": KEY_TEXT,
        "token": st.just("") | KEY_TEXT,
        "region": st.sampled_from(["us-east-1", "eu-central-1", "auto"]),
        "time": st.integers(0, 4_000_000_000),
    }
)


@pytest.fixture(scope="module")
def ours():
    """Signs one request by our code."""
    with subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as program:

        def sign(request):
            program.stdin.write(json.dumps(request) + "\n")
            program.stdin.flush()
            return json.loads(program.stdout.readline())

        yield sign
        program.stdin.close()


def plain_path(request):
    """The path as botocore's own client encodes it."""
    bucket = "/" + request["bucket"] if request["by_path"] else ""
    key = percent_encode(request["key"], safe="/~")
    return bucket + "/" + key if key or not bucket else bucket


def sign_by_botocore(signer_class, request, *arguments):
    """The request as botocore signs it, at the time that the request names."""
    host = "s3.example.com" if request["by_path"] else request["bucket"] + ".s3.example.com"
    signed = AWSRequest(
        method=request["method"], url=f"https://{host}{plain_path(request)}", params=list(request["query"])
    )
    signed.headers["Host"] = host
    for name, value in request["headers"]:
        signed.headers.add_header(name, value)
    moment = datetime.datetime.fromtimestamp(request["time"], datetime.UTC)
    credentials = Credentials(request["access_key"], request["secret_key"], request["token"] or None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None))
        signer_class(credentials, "s3", request["region"], *arguments).add_auth(signed)
    return signed, host


def sent_headers(signed, *without):
    return [[name, value] for name, value in signed.headers.items() if name.lower() not in without]


@settings(max_examples=600, deadline=None)
@given(request=REQUEST)
def test_headers(ours, request):
    signed, _ = sign_by_botocore(botocore.auth.S3SigV4Auth, request)
    request = request | {
        "payload_hash": signed.headers["X-Amz-Content-SHA256"],
        "headers": sent_headers(signed, "authorization"),
    }
    answer = ours(request)
    assert answer["path"] == plain_path(request)
    assert answer["authorization"] == signed.headers["Authorization"]


@settings(max_examples=600, deadline=None)
@given(request=REQUEST, lifetime=st.integers(1, 604_800))
def test_links(ours, request, lifetime):
    # A link keeps its headers out of the query, as ours does.
    request = request | {"headers": [], "query": [(name, value) for name, value in dict(request["query"]).items()]}
    signed, host = sign_by_botocore(botocore.auth.S3SigV4QueryAuth, request, lifetime)
    answer = ours(request | {"payload_hash": "UNSIGNED-PAYLOAD", "headers": [["Host", host]], "lifetime": lifetime})
    link = urllib.parse.urlsplit(signed.url)
    assert answer["path"] == link.path
    wanted = urllib.parse.parse_qsl(link.query, keep_blank_values=True)
    assert sorted(urllib.parse.parse_qsl(answer["query"], keep_blank_values=True)) == sorted(wanted)


@settings(max_examples=300, deadline=None)
@given(request=REQUEST, lifetime=st.integers(1, 604_800))
def test_links_with_headers_to_send(ours, request, lifetime):
    """As those of an upload: If-None-Match, the content type and what says how to keep the object are signed."""
    request = request | {"method": "PUT", "query": [(name, value) for name, value in dict(request["query"]).items()]}
    signed, host = sign_by_botocore(botocore.auth.S3SigV4QueryAuth, request, lifetime)
    headers = [["Host", host], *sent_headers(signed, "host")]
    answer = ours(request | {"payload_hash": "UNSIGNED-PAYLOAD", "headers": headers, "lifetime": lifetime})
    wanted = urllib.parse.parse_qsl(urllib.parse.urlsplit(signed.url).query, keep_blank_values=True)
    assert sorted(urllib.parse.parse_qsl(answer["query"], keep_blank_values=True)) == sorted(wanted)


def test_a_wrong_secret_is_noticed(ours):
    """The comparison is one that can fail."""
    request = {
        "method": "GET", "bucket": "b", "by_path": True, "key": "k", "query": [], "headers": [],
        "access_key": "A", "secret_key": "S", "token": "", "region": "us-east-1", "time": 0,
    }  # fmt: skip
    signed, _ = sign_by_botocore(botocore.auth.S3SigV4Auth, request)
    same = request | {
        "payload_hash": signed.headers["X-Amz-Content-SHA256"],
        "headers": sent_headers(signed, "authorization"),
    }
    assert ours(same)["authorization"] == signed.headers["Authorization"]
    assert ours(same | {"secret_key": "T"})["authorization"] != signed.headers["Authorization"]
