"""How every client that stands on botocore is tuned: bodies not hashed, parameters not checked."""

from __future__ import annotations

from typing import Any

from peers.peer import IN_FLIGHT

SETTINGS: dict[str, Any] = {
    "max_pool_connections": IN_FLIGHT,
    "parameter_validation": False,
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
    "s3": {"payload_signing_enabled": False, "addressing_style": "path"},
}
