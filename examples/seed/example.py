"""A step of a browser agent goes into the storage and comes back.

python examples/seed/example.py [STORE]      STORE: a path or memory: (default ./.storage_data)
"""

import sys

from storage import StorageManager

storage = StorageManager(sys.argv[1] if len(sys.argv) > 1 else None)

storage.store_step_data(
    session_id="session_123",
    step_id="step_001",
    html_content="<html><body>Example</body></html>",
    screenshot_bytes=b"\x89PNG\r\n\x1a\n...",
    action_data={"type": "click", "selector": "#submit"},
)

html, screenshot, action = storage.retrieve_step_data("session_123", "step_001")

print(html, len(screenshot), action)
print(storage.list_steps("session_123"))
storage.close()
