"""An agent on asyncio records every step it takes. A step that cannot be stored is reported; the agent goes on.

python record_agent.py [STORE]      STORE: a path, memory: or s3://bucket/prefix (default ./recordings)
"""

import asyncio
import sys

from stepstore import StorageManagerError
from stepstore.aio import StorageManager

SESSION = "shop-tour"


class FakePage:
    """Stands for a browser's page; Playwright's has the same members."""

    def __init__(self) -> None:
        self.url = "https://shop.example/0"

    async def content(self) -> str:
        """The HTML."""
        return f"<title>Shop</title><p>{self.url}</p>"

    async def screenshot(self) -> bytes:
        """A PNG."""
        return b"\x89PNG\r\n\x1a\n" + self.url.encode()

    async def click(self, selector: str) -> None:
        """Follows a link such as "#page-3"."""
        await asyncio.sleep(0)
        self.url = f"https://shop.example/{selector.removeprefix('#page-')}"


async def save(store: StorageManager, step_id: str, html: str, picture: bytes, action: dict[str, str]) -> None:
    """Stores one step: all of it or nothing."""
    try:
        await store.store_step_data(SESSION, step_id, html, picture, action, timeout=10)
    except StorageManagerError as error:
        print(f"step {step_id} was not recorded: {error.message}. {error.advice}", file=sys.stderr)


async def tour(page: FakePage, store: StorageManager) -> None:
    """Looks and clicks; what was seen is stored while the agent goes on. The group waits for the last one."""
    async with asyncio.TaskGroup() as recording:
        for number in range(1, 6):
            html, picture = await page.content(), await page.screenshot()
            action = {"type": "click", "selector": f"#page-{number}", "url": page.url}
            recording.create_task(save(store, f"{number:04}", html, picture, action))
            await page.click(action["selector"])


async def main(where: str) -> None:
    """The agent's life."""
    async with StorageManager(where) as store:
        page = FakePage()
        await tour(page, store)
        print(f"the agent came to {page.url}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "./recordings"))
