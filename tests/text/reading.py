"""HTML as a list of what a parser sees, so that tests judge tags and not spellings."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

CORPORA = Path(__file__).parent.parent / "corpora"


class Tag(NamedTuple):
    name: str
    attributes: dict[str, str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[Tag | str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(Tag(tag, {name: value or "" for name, value in attrs}))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(Tag("/" + tag, {}))

    def handle_data(self, data: str) -> None:
        if self.seen and isinstance(self.seen[-1], str):
            self.seen[-1] += data
        else:
            self.seen.append(data)

    def handle_comment(self, data: str) -> None:
        self.seen.append(Tag("comment", {}))

    handle_decl = handle_pi = unknown_decl = handle_comment


def seen(html: str) -> list[Tag | str]:
    """Opening tags with attributes, closing tags as `/name`, and text, in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.seen


def tags(html: str) -> list[Tag]:
    """Opening tags alone."""
    return [part for part in seen(html) if isinstance(part, Tag) and not part.name.startswith("/")]


def words(html: str) -> str:
    """Text alone, white space as one space."""
    return " ".join("".join(part if isinstance(part, str) else " " for part in seen(html)).split())


def corpus(name: str) -> Any:
    return json.loads((CORPORA / f"{name}.json").read_text(encoding="utf-8"))


def script_attacks() -> list[str]:
    """The strings of the corpora that were made to run a script in a page."""
    dompurify = [entry["payload"] for entry in corpus("xss_dompurify")]
    return [*dompurify, *corpus("xss_owasp_evasion"), *corpus("xss_patt")]


def attacks() -> list[str]:
    """These and the strings that trouble programs in other ways."""
    return [*script_attacks(), *corpus("blns")]
