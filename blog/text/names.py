"""Names of people as text: which are well formed, which look alike, which nobody may take."""

import re
import unicodedata

# A username stands in addresses and cannot change.
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,29}")
_LONGEST_DISPLAY_NAME = 60
# Accents may shorten a name when they are composed, never so much; to compose a long run of them takes time that grows with its square.
_LONGEST_TYPED_NAME = 600

# Names that would speak for the board, are words of its addresses, or stand where a name is missing.
_RESERVED = """
    abuse admin administrator administrators admins author authors board contact editor everyone guest help
    hostmaster info mail mailer-daemon member members mod moderation moderator moderators mods nobody noreply
    no-reply official operator owner parley postmaster press reader readers robot root security staff support
    sysadmin system team webmaster
    anonymous deleted former-member hidden nil none null undefined unknown you me
    about account acts api appeals assets comments conversations dev drafts feed feeds forgot healthz index
    log login logout metrics new notices posts readyz register reports reset robots rules search settings
    sign-in sign-out signin signout sitemap static topics uploads verify
"""
RESERVED: frozenset[str] = frozenset(_RESERVED.split())

# Letters and digits that one may be taken for another. The pair comes last: "rn" may arise only from itself.
_LOOKALIKES = str.maketrans({"0": "o", "1": "l", "i": "l", "_": "-"})


def is_username(name: str) -> bool:
    """Whether `name` is a well-formed username: 2 to 30 ASCII letters, digits, `_` or `-`, a letter or digit first."""
    return _USERNAME.fullmatch(name) is not None


def fold_username(name: str) -> str:
    """The form in which usernames are unique: case, 0/o, 1/l/i, rn/m and _/- make no difference."""
    return name.casefold().translate(_LOOKALIKES).replace("rn", "m")


_RESERVED_FOLDED = frozenset(map(fold_username, RESERVED))


def is_reserved(name: str) -> bool:
    """Whether `name` is on the reserved list or looks like a name on it. Accounts made from the shell don't ask."""
    return fold_username(name) in _RESERVED_FOLDED


# Letters that show nothing, so a name of them is a name of nobody.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing: only spaces, marks of direction, joiners, unassigned characters, accents without a letter."""
    return not any(char not in _BLANK and unicodedata.category(char)[0] in "LNPS" for char in text)

_PILED_ACCENTS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4}")
_ADDRESS = re.compile(
    r"://|\bwww\.|\b(?:https?|ftp|mailto|tel|data|javascript):"  # a scheme or a host by habit
    r"|\S@\S"  # a mail address
    r"|\w\.[^\W\d_]{2,}",  # a host: mail programs make a link of it
    re.IGNORECASE,
)
_DOTS = str.maketrans("\u3002\uff61\u2024", "...")


def clean_display_name(name: str) -> str:
    """`name` as it will be shown: trimmed, runs of spaces joined, accents composed; 1 to 60 characters.

    Raises ValueError with a sentence for people when it is empty, too long, holds characters that are invisible or
    turn the line around, or looks like a web or mail address (mail programs would make a link of it).
    """
    shown = " ".join(name.split())
    if len(shown) <= _LONGEST_TYPED_NAME:
        shown = unicodedata.normalize("NFC", shown)
    if not shown:
        raise ValueError("Please write a name.")
    if len(shown) > _LONGEST_DISPLAY_NAME:
        raise ValueError(f"A name may have at most {_LONGEST_DISPLAY_NAME} characters; this one has {len(shown)}.")
    if any(char in _BLANK or unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in shown):
        raise ValueError("This name holds invisible characters. Please type it again without them.")
    if not any(unicodedata.category(char)[0] in "LNS" for char in shown):
        raise ValueError("A name needs at least one letter, digit or picture character.")
    if _PILED_ACCENTS.search(unicodedata.normalize("NFD", shown)):
        raise ValueError("This name piles up accents, which would cover the lines around it. Please use fewer.")
    if any(_ADDRESS.search(read.translate(_DOTS)) for read in (shown, unicodedata.normalize("NFKC", shown))):
        raise ValueError("A name may not look like a web or mail address. Leave a space after each full stop, and no @ inside.")
    return shown
