"""Keyset cursors: integers joined by dots, as they stand behind `?after=`. No OFFSET anywhere."""

from datetime import UTC, datetime, timedelta

from blog.errors import Malformed

LARGEST = 2**63 - 1

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DAMAGED = "That link to the next page is damaged. Go back and follow it again."

# What a plain INTEGER column holds: PostgreSQL refuses to compare it with more.
LARGEST_COUNT = 2**31 - 1


def cursor(*parts: int) -> str:
    """The `after` value that stands for a row's key."""
    return ".".join(str(part) for part in parts)


def read_cursor(raw: str | None, parts: int = 1, largest: int = LARGEST) -> tuple[int, ...] | None:
    """The key in `raw`, or None where there is none. Raises Malformed for anything that `cursor` can't have made.

    `largest`: what the key's columns hold (LARGEST_COUNT where they are no ids).
    """
    if raw is None or raw == "":
        return None
    pieces = raw.split(".")
    if len(pieces) != parts or not all(piece.isascii() and piece.isdigit() and len(piece) <= 19 for piece in pieces):
        raise Malformed(DAMAGED)
    numbers = tuple(int(piece) for piece in pieces)
    if any(number > largest for number in numbers):
        raise Malformed(DAMAGED)
    return numbers


def micros(moment: datetime) -> int:
    """An instant as a cursor's number: microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(number: int) -> datetime:
    """The instant that `micros` made a number of. Raises Malformed for one that it can't have made."""
    try:
        return EPOCH + timedelta(microseconds=number)
    except OverflowError:
        raise Malformed(DAMAGED) from None
