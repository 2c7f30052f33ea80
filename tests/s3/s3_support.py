"""What the tests on S3 servers use: the server that runs beside them, as objects."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from canary import canary


@dataclass(frozen=True)
class Server:
    name: str
    endpoint: str
    region: str
    bucket: str
    access_key: str
    secret_key: str
    traits: frozenset[str]

    @property
    def keys(self) -> dict[str, str]:
        """The variables that sign requests."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    @property
    def credentials(self) -> dict[str, str | None]:
        """The same for Python."""
        return {"access_key_id": self.access_key, "secret_access_key": self.secret_key}

    def uri(self, prefix: str, *, bucket: str | None = None, **parameters: str) -> str:
        query = {"endpoint": self.endpoint, "region": self.region} | parameters
        return f"s3://{bucket or self.bucket}/{prefix}?{urlencode(query)}"

    @staticmethod
    def of(told: dict[str, Any]) -> Server:
        """As servers.py tells it. Where nobody checks signatures, the secret is that of the run."""
        names = ("name", "endpoint", "region", "bucket", "access_key", "secret_key")
        server = Server(*(told[name] for name in names), frozenset(told["traits"]))
        return replace(server, secret_key=canary()) if "no-signatures" in server.traits else server

    @staticmethod
    def new_prefix(test: str) -> str:
        return f"{test}-{uuid.uuid4().hex[:8]}"
