"""stepstore keeps the recorded steps of browser agents, whole, on disk and in S3.

>>> import stepstore
>>> with stepstore.StorageManager("memory:") as store:
...     receipt = store.store_step_data("login-test", "0001", "<h1>", action_data={"type": "click"})
...     html, screenshot, action = store.retrieve_step_data("login-test", "0001")
>>> html, screenshot, action
('<h1>', None, {'type': 'click'})
"""

import atexit

from stepstore import _core, aio, exceptions
from stepstore._manager import StorageManager
from stepstore._step import Step
from stepstore._values import (
    AdoptReport,
    Attempt,
    CheckReport,
    ComponentInfo,
    DeleteResult,
    DoctorReport,
    DoctorRow,
    Finding,
    PresignedUrl,
    Receipt,
    S3ObjectSettings,
    StepData,
    StepInfo,
    StorageInfo,
)
from stepstore.aio import StorageManager as AsyncStorageManager
from stepstore.exceptions import (
    AlreadyExists,
    Archived,
    Cancelled,
    Closed,
    ConfigError,
    Conflict,
    Corrupt,
    Held,
    InvalidArgument,
    Io,
    NoSpace,
    NotFound,
    PartialFailure,
    PermissionDenied,
    SpoolFull,
    StorageManagerError,
    Throttled,
    Timeout,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
)

# Daemon threads may be inside a call when the program ends.
atexit.register(_core.end_calls)

__version__: str = _core.version

__all__ = [
    "AdoptReport",
    "AlreadyExists",
    "Archived",
    "AsyncStorageManager",
    "Attempt",
    "Cancelled",
    "CheckReport",
    "Closed",
    "ComponentInfo",
    "ConfigError",
    "Conflict",
    "Corrupt",
    "DeleteResult",
    "DoctorReport",
    "DoctorRow",
    "Finding",
    "Held",
    "InvalidArgument",
    "Io",
    "NoSpace",
    "NotFound",
    "PartialFailure",
    "PermissionDenied",
    "PresignedUrl",
    "Receipt",
    "S3ObjectSettings",
    "SpoolFull",
    "Step",
    "StepData",
    "StepInfo",
    "StorageInfo",
    "StorageManager",
    "StorageManagerError",
    "Throttled",
    "Timeout",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unsupported",
    "aio",
    "exceptions",
]
