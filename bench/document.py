"""docs/performance.md: each measurement writes its own part, between two marks, and leaves the rest as it is."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


def write_part(name: str, words: str) -> None:
    """Put `words` between the marks of that name. Raises ValueError if the document has no such marks."""
    begin, end = f"<!-- {name}: written by bench/ -->", f"<!-- end of {name} -->"
    text = DOCUMENT.read_text(encoding="utf-8")
    new, found = re.subn(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n\n{words}\n\n{end}", text, count=1, flags=re.DOTALL)
    if not found:
        raise ValueError(f"{DOCUMENT.name} has no marks for {name}")
    DOCUMENT.write_text(new, encoding="utf-8")
