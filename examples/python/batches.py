"""Stores many steps, several at a time, and reads some of them back. A second run writes nothing: all is there.

python batches.py [STORE]      STORE: a path, memory: or s3://bucket/prefix (default ./recordings)
"""

import sys
from collections.abc import Iterator

from stepstore import Step, StepData, StorageManager, StorageManagerError

PAGES = 200


def crawl() -> Iterator[StepData]:
    """The pages, one after the other: what has not been asked for yet takes no memory."""
    for number in range(PAGES):
        html = f"<h1>Page {number}</h1>"
        yield StepData("crawl", f"{number:04}", html_content=html, metadata={"number": number})


def store_all(store: StorageManager) -> list[StorageManagerError]:
    """Each step has a result of its own: a receipt, or the exception that kept it from being stored."""
    written, there, failed = 0, 0, list[StorageManagerError]()
    for result in store.store_steps(crawl(), if_exists="skip_identical", timeout=600):
        if isinstance(result, StorageManagerError):
            failed.append(result)
        elif result.skipped:
            there += 1
        else:
            written += 1
    print(f"{written} written, {there} were there, {len(failed)} failed")
    return failed


def main(where: str) -> int:
    """Stores all, reads three: one of them is not there."""
    with StorageManager(where) as store:
        failed = store_all(store)
        for error in failed:
            print(f"{error.key}: {error.message}. {error.advice}", file=sys.stderr)

        wanted = [("crawl", "0000"), ("crawl", "0199"), ("crawl", "none")]
        for (_, step_id), result in zip(wanted, store.retrieve_steps(wanted), strict=True):
            print(step_id, result.html_content if isinstance(result, Step) else result.code)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "./recordings"))
