"""The module that the example imports: stepstore under the seed's name."""

from stepstore import StorageManager

__all__ = ["StorageManager"]
