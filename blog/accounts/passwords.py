"""Passwords: how they are kept (argon2id) and which are too easily guessed to be taken."""

import base64
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app

from blog.accounts import guessable
from blog.errors import Invalid

# Some 20 ms and 19 MiB each: slow for whoever guesses, and eight threads at once still fit into a small machine.
TIME_COST = 2
MEMORY_KIB = 19 * 1024
LANES = 1

SHORTEST = 12
# Far beyond any sentence; it only keeps megabytes out of the hash.
LONGEST = 1_000


def hash_password(password: str) -> str:
    """What a row keeps of a password. One argon2 computation."""
    return _hasher().hash(_bytes(password))


def verify(kept: str | None, password: str) -> bool:
    """Whether this is the password that `kept` was made from. One argon2 computation, for None (nobody, or no password yet) too."""
    hasher = _hasher()
    try:
        return hasher.verify(kept or _nobodys(hasher), _bytes(password)) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's: then it is made anew at the next sign-in."""
    return _hasher().check_needs_rehash(kept)


def new(password: str, username: str, email: str) -> str:
    """The hash of a password that somebody chose. Raises Invalid (field `password`) with the reason if it is too easy to guess."""
    if len(password) < SHORTEST:
        raise Invalid(f"A password needs {SHORTEST} characters at least; this one has {len(password)}. A few words are fine.", "password")
    if len(password) > LONGEST:
        raise Invalid(f"A password may have {LONGEST:,} characters; this one has {len(password):,}.", "password")
    reason = guessable.reason(password, username, email)
    if reason:
        raise Invalid(reason, "password")
    return hash_password(password)


def _hasher() -> PasswordHasher:
    if current_app.testing and current_app.config.get("CHEAP_PASSWORDS"):
        return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)


def _nobodys(hasher: PasswordHasher) -> str:
    """A well-formed hash that no password has, made without computing one: checking against it costs what any check costs."""
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (hasher.salt_len, hasher.hash_len))
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"


def _bytes(password: str) -> bytes:
    """All of it: nothing trimmed or cut. Composed, because keyboards differ in how they send an accent.

    What is longer than a password may be is taken as it came: to compose half a megabyte of accents would take minutes.
    """
    composed = unicodedata.normalize("NFC", password) if len(password) <= LONGEST else password
    return composed.encode("utf-8", "surrogatepass")
