from typing import Any

from stepstore._inputs import Fields
from stepstore._s3_inputs import Names, Network, ObjectFields, Signer

version: str

def collect_log(level: str) -> None: ...
def end_calls() -> None: ...

# The length is in bytes, as Python holds it. Lone surrogates become '?' when it is stored, and then it was mended.
class Text:
    def __init__(self, text: str) -> None: ...
    def __len__(self) -> int: ...
    def was_mended(self) -> bool: ...

class Ticket:
    def stop(self) -> None: ...
    def begun(self) -> bool: ...

class Port:
    def fileno(self) -> int: ...
    def ticket(self, number: int) -> Ticket: ...
    def take(self, into: list[tuple[int, bool, Any]]) -> None: ...
    def of_this_process(self) -> bool: ...
    def wait(self) -> None: ...

class Busy:
    def __init__(self, operation: str) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *error: object) -> None: ...

class RawStep:
    def bytes(self, name: str) -> bytes | None: ...
    def text(self, name: str) -> str | None: ...  # None also for what is no UTF-8
    def size(self) -> int: ...
    def info(self) -> dict[str, Any]: ...

class RawCursor: ...
class Together: ...

# Every call returns its value; or None with a ticket, when the value comes by the ticket's port: a receipt as
# (state, version, commit_id, skipped, paths), a page as (ids, next), deletes as (steps, objects), findings as
# (kind, key, message), a link as (url, method, headers, expires_at_ms, key, note).
class Manager:
    def __init__(
        self,
        uri: bytes,
        local_base_path: bytes | None,
        fsync: bool | None,
        keep_versions: int,
        concurrency: int,
        in_flight_bytes_max: int,
        s3_names: Names,
        credentials: Signer | None,
        network: Network,
        prefer_s3: bool,
        renewed: bool,
        s3_objects: ObjectFields,
    ) -> None: ...
    def set_credentials(self, credentials: Signer) -> None: ...
    def store(
        self,
        fields: Fields,
        if_exists: int,
        if_version: int | None,
        keep_versions: int | None,
        timeout: float,
        ticket: Ticket | None = None,
    ) -> Any: ...
    def retrieve(
        self,
        session: str,
        step: str,
        version: int | None,
        legacy: bool,
        together: Together | None,
        timeout: float,
        ticket: Ticket | None = None,
    ) -> Any: ...
    def stat(
        self,
        session: str,
        step: str,
        version: int | None,
        legacy: bool,
        timeout: float,
        ticket: Ticket | None = None,
    ) -> Any: ...
    def sessions(self, prefix: str, after: str, limit: int, timeout: float, ticket: Ticket | None = None) -> Any: ...
    def steps(
        self,
        session: str,
        prefix: str,
        after: str,
        limit: int,
        legacy: bool,
        timeout: float,
        ticket: Ticket | None = None,
    ) -> Any: ...
    def iterate(
        self,
        session: str,
        prefix: str,
        after: str,
        limit: int,
        legacy: bool,
        step_timeout: float,
        timeout: float,
        ticket: Ticket | None = None,
    ) -> Any: ...
    def next(self, cursor: RawCursor, timeout: float, ticket: Ticket | None = None) -> Any: ...
    def delete_step(self, session: str, step: str, timeout: float, ticket: Ticket | None = None) -> Any: ...
    def delete_session(self, session: str, timeout: float, ticket: Ticket | None = None) -> Any: ...
    def doctor(self, thorough: bool, timeout: float, ticket: Ticket | None = None) -> Any: ...
    def check(self, session: str | None, data: bool, timeout: float, ticket: Ticket | None = None) -> Any: ...
    def adopt(self, session: str | None, dry_run: bool, timeout: float, ticket: Ticket | None = None) -> Any: ...
    def presign(
        self,
        session: str,
        step: str,
        component: str,
        put: bool,
        expires: int,
        version: int | None,
        content_type: str,
        content_disposition: str,
        timeout: float,
        ticket: Ticket | None = None,
    ) -> Any: ...
    def info(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
