"""Signed S3 requests by the standard library alone (AWS Signature Version 4), with every header under control."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import hmac
import http.client
import urllib.parse
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes
    closes: bool  # whether the server closes the connection after it


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


@dataclasses.dataclass(frozen=True)
class S3:
    endpoint: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Sends one request on a connection of its own. Raises OSError when the server cannot be reached."""
        host = urllib.parse.urlsplit(self.endpoint).netloc
        path = urllib.parse.quote(path, safe="/-_.~")
        text = urllib.parse.urlencode(sorted((query or {}).items()), quote_via=urllib.parse.quote, safe="-_.~")
        signed = self._sign(f"{method}\n{path}\n{text}", host, headers or {}, body)
        connection = http.client.HTTPConnection(host, timeout=30)
        try:
            connection.request(method, path + ("?" + text if text else ""), body=body, headers=signed)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read(), answer.will_close)
        finally:
            connection.close()

    def _sign(self, target: str, host: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        now = datetime.datetime.now(datetime.UTC)
        signed = {
            "host": host,
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        }
        signed.update((name.lower(), value) for name, value in headers.items())
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
        canonical = "\n".join([target, lines, names, signed["x-amz-content-sha256"]])

        scope = [now.strftime("%Y%m%d"), self.region, "s3", "aws4_request"]
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = ("AWS4" + self.secret_key).encode()
        for part in scope:
            key = _hmac(key, part)
        text = "\n".join(["AWS4-HMAC-SHA256", signed["x-amz-date"], "/".join(scope), digest])
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{'/'.join(scope)}, "
            f"SignedHeaders={names}, Signature={_hmac(key, text).hex()}"
        )
        return signed
