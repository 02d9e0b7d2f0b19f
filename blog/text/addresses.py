"""Which addresses a text may point to. One judge, asked by the Markdown renderer and again by the sanitiser."""

import re
from urllib.parse import unquote, urlsplit

# Browsers drop or reinterpret these inside an address, so what a parser sees and what they open could differ.
_MISLEADING = re.compile(r"[\x00-\x20\x7f-\xa0\\\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")
# A name, or an IPv6 address without its brackets; what else a browser might make of a host is not worth guessing.
_HOST = re.compile(r"\w(?:[\w.-]*\w)?\.?|[0-9a-f.]*:[0-9a-f:.]+")
# Folders of this board's own files; the content security policy admits pictures from nowhere else.
_PICTURE_FOLDERS = ("/static/", "/uploads/")


def is_link(address: str) -> bool:
    """Whether a text may link to `address`: http, https, mailto, or a place on this board.

    Refused are the empty address, other schemes, addresses without a scheme that name a host (`//host`), a user before the host
    (`https://bank.example@elsewhere.example` reads like another place), and whatever hides characters.
    """
    if not address or _MISLEADING.search(address) or address.startswith("//"):
        return False
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port  # raises when it is no number
    except ValueError:
        return False
    if parts.scheme in ("http", "https"):
        return _HOST.fullmatch(host) is not None and "@" not in parts.netloc
    if parts.scheme == "mailto":
        return "@" in parts.path
    # A colon before the first slash would be a scheme to some parsers and a file name to others.
    return not parts.scheme and not parts.netloc and ":" not in re.split(r"[/?#]", address, maxsplit=1)[0]


def is_own_picture(address: str) -> bool:
    """Whether `address` is a file that this board serves, so that showing it tells no other host who reads."""
    if not is_link(address) or not address.startswith(_PICTURE_FOLDERS):
        return False
    path = unquote(urlsplit(address).path)
    return ".." not in path and "\\" not in path and "//" not in path
