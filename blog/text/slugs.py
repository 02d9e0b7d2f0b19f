"""Titles as parts of addresses."""

import unicodedata

# Long enough to be read, short enough that an address with it fits on a line of a mail.
LONGEST = 80
# Of a text, this many times the length wanted is looked at: to compose accents takes time that grows with the square of a run of them.
LOOKED_AT = 10
# Addresses under /posts/ that mean something else.
_TAKEN = frozenset({"new"})


def slugify(title: str) -> str:
    """A readable part of an address: letters and digits of any script in lower case, joined by hyphens.

    At most 80 characters, cut at a word end; never empty, never digits alone, never the word `new`.
    Not unique: whoever stores it sees to that.
    """
    slug = hyphenated(title, LONGEST)
    if not slug:
        return "post"
    if slug in _TAKEN or slug.isdigit():
        return "post-" + slug[: LONGEST - len("post-")]
    return slug


def hyphenated(text: str, longest: int) -> str:
    """The words of `text` joined by hyphens, at most `longest` characters, cut at a word end; may be empty."""
    # Invisible characters go first: letters and accents that they kept apart are composed after.
    shown = "".join(char for char in text[: LOOKED_AT * longest] if unicodedata.category(char) != "Cf")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    # Marks stay: in many scripts they are the vowels of a word.
    joined = "".join(char if char.isalnum() or unicodedata.category(char) in ("Mn", "Mc") else " " for char in folded)
    slug = "-".join(word for word in joined.split() if any(map(str.isalnum, word)))
    if len(slug) <= longest:
        return slug
    return slug[: longest + 1].rpartition("-")[0] or slug[:longest]
