"""The command reaches S3 servers through a proxy, of either kind of scheme, and says what is wrong with one."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from cli_support import Command
from gateway import Gateway, server_context
from proxy import Proxy
from s3_support import Server

PASSWORD = "hunter2/hunter2"
# As it stands in a URL, and what a proxy is sent.
SPELLINGS = (PASSWORD, "hunter2%2Fhunter2", "bWU6aHVudGVyMi9odW50ZXIy")
USAGE, UNAVAILABLE = 2, 10


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy(f"me:{PASSWORD}") as running:
        yield running


def url(proxy: Proxy, who: str = "me:hunter2%2Fhunter2@") -> str:
    return f"http://{who}{proxy.address}"


def named(endpoint: str) -> str:
    """The same server under a name that only the proxy knows. It has no dot: some servers seek a bucket before one."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://objects:{parts.port}"


def silent(text: str) -> bool:
    return not any(spelling in text for spelling in SPELLINGS)


def test_through_a_proxy_to_plain_http(s3: Server, prefix, stepstore: Command, proxy: Proxy):
    uri = s3.uri(prefix, endpoint=named(s3.endpoint), allow_http="true")
    env = s3.keys | {"http_proxy": url(proxy)}
    told = stepstore("-vv", "put", uri, "s", "1", "--action-json", "1", env=env)
    assert silent(told.err + told.out)
    assert f"the proxy http://{proxy.address} (http_proxy)" in told.err
    assert stepstore("ls", uri, env=env).lines == ["s"]
    assert all(asked.split(" ", 1)[1].startswith(f"{named(s3.endpoint)}/{s3.bucket}") for asked in proxy.asked)
    # The same step is there without one.
    asked = len(proxy.asked)
    assert stepstore("ls", s3.uri(prefix), env=env).lines == ["s"]
    assert len(proxy.asked) == asked


def test_through_a_tunnel_to_https(s3: Server, prefix, stepstore: Command, proxy: Proxy, certificate):
    with Gateway(s3.endpoint, tls=server_context(*certificate)) as gateway:
        uri = s3.uri(prefix, endpoint=named(gateway.endpoint), ca_file=str(certificate[0]))
        env = s3.keys | {"HTTPS_PROXY": url(proxy)}
        told = stepstore("-vv", "put", uri, "s", "1", "--action-json", "1", env=env)
        assert silent(told.err + told.out)
        assert set(proxy.asked) == {f"CONNECT objects:{gateway.port}"}
        # Fewer tunnels than requests: they serve again.
        assert len(gateway.requests) > len(proxy.asked)
        # The URI may name it too, but then without a password.
        with Proxy() as everybodys:
            assert stepstore("ls", f"{uri}&proxy={url(everybodys, '')}", env=s3.keys).lines == ["s"]
            assert everybodys.asked


def test_what_is_wrong_with_a_proxy(stepstore: Command, proxy: Proxy):
    keys = {"AWS_ACCESS_KEY_ID": "AKIASOMEBODY", "AWS_SECRET_ACCESS_KEY": "any"}

    def see(code: int, message: str, advice: str, *, way: str, more: str = "") -> None:
        uri = f"s3://bucket?endpoint=https://objects&attempts_max=1{more}"
        env = keys | {"HTTPS_PROXY": way}
        for flags in (["--json"], ["-vv"], []):
            told = stepstore(*flags, "ls", uri, env=env, code=code)
            assert silent(told.err + told.out)
        first, second = told.err.splitlines()
        assert message in first
        assert advice in second

    here = f"the proxy http://{proxy.address} (HTTPS_PROXY)"
    see(USAGE, f"{here} wants a user and password (407)", "http://user:password@host:port", way=url(proxy, ""))
    wrong = url(proxy, "me:hunter2%2Fhunter22@")
    see(USAGE, f"{here} does not take the user and password of its URL (407)", "Mend them", way=wrong)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    gone = f"http://me:hunter2%2Fhunter2@127.0.0.1:{port}"
    see(UNAVAILABLE, f"the proxy http://127.0.0.1:{port} (HTTPS_PROXY): Connection refused", "Is the proxy", way=gone)
    socks = "socks5://me:hunter2%2Fhunter2@proxy:1080"
    see(USAGE, "the URL of the proxy (HTTPS_PROXY)", "proxy=none takes the direct way", way=socks)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as mute:
        way = f"127.0.0.1:{mute.getsockname()[1]}"
        late = f"the proxy http://{way} (HTTPS_PROXY): no connection within 200 ms"
        see(UNAVAILABLE, late, "NO_PROXY", way=way, more="&connect_timeout=0.2")


def test_a_password_in_a_uri_is_refused(stepstore: Command):
    told = stepstore("ls", "s3://bucket?proxy=http://me:hunter2%2Fhunter2@proxy:1", code=USAGE)
    assert "holds a user name or password" in told.err
    assert silent(told.err)
