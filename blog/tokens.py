"""Signed links: good without signing in, for what their holder may read anyway. Links that are pressed once are rows (accounts/links.py)."""

import hashlib
import hmac

from blog.config import settings


def sign(purpose: str, *facts: int) -> str:
    """A key for the address that these facts make, under the board's present key: 43 URL-safe characters."""
    return _made(settings().secret_key, purpose, facts)


def holds(key: str, purpose: str, *facts: int) -> bool:
    """Whether `key` was made for exactly these facts, under the present key or an older one that is still accepted."""
    keys = (settings().secret_key, *settings().secret_key_fallbacks)
    return bool(key) and any(hmac.compare_digest(_made(secret, purpose, facts).encode(), key.encode()) for secret in keys)


def _made(secret: str, purpose: str, facts: tuple[int, ...]) -> str:
    message = ":".join([f"signed link {purpose}", *map(str, facts)])
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()[:43]
