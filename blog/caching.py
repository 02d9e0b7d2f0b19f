"""Keeping what is costly to draw: in this process, bounded by bytes, the least recently used goes first.

What is kept is never asked whether it still holds: its key names the version it was drawn from, and the version is read anew for each
answer. So a hide or an edit is seen by the next request of every process, and processes need not tell each other anything.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# What a row takes besides its value. Without it, pages of nothing would cost nothing, and anybody can ask for any number of those.
ROW_BYTES = 2_000


# All stores of this process, for whoever must begin anew (tests, measurements).
STORES: list["Kept[Any]"] = []


class Kept(Generic[T]):
    """A bounded store; safe to use from several threads."""

    def __init__(self, most_bytes: int) -> None:
        STORES.append(self)
        self.most_bytes = most_bytes
        self.bytes = 0
        self._rows: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        """What was kept under this key, None if nothing is."""
        with self._lock:
            found = self._rows.get(key)
            if found is None:
                return None
            self._rows.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: T, size: int) -> None:
        """Keep `value`, which takes about `size` bytes. What is larger than an eighth of the store is not kept."""
        size += ROW_BYTES
        if size > self.most_bytes // 8:
            return
        with self._lock:
            old = self._rows.pop(key, None)
            self.bytes += size - (old[1] if old else 0)
            self._rows[key] = (value, size)
            while self.bytes > self.most_bytes:
                _, (_, freed) = self._rows.popitem(last=False)
                self.bytes -= freed

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()
            self.bytes = 0


def clear_all() -> None:
    """Forget whatever was kept in this process."""
    for store in STORES:
        store.clear()
