"""Static files: served for ever under a prefix that is the hash of the whole tree, so that a change is a new address."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask
from whitenoise import WhiteNoise

from blog.config import ROOT, Settings
from blog.gate import security_headers

STATIC = ROOT / "static"
FOR_EVER = 365 * 24 * 3600


def tree_hash(root: Path = STATIC) -> str:
    """Twelve hexadecimal digits that change with any file's name or content."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def register(app: Flask, settings: Settings) -> None:
    """Serve `static/` under /static/HASH/ and give templates `asset("css/parley.css")` and `icon`."""
    static = tree_hash()
    prefix = f"/static/{static}/"
    # What draws a page besides its rows: validators hang on it, so that a new release or title is seen at once.
    drawn_by = (static, tree_hash(ROOT / "templates"), tree_hash(ROOT / "blog"), settings)
    app.config["DRAWN_BY"] = hashlib.sha256(repr(drawn_by).encode()).hexdigest()[:12]
    headers = security_headers(settings.is_https)

    def add(found: Any, path: str, url: str) -> None:
        for name, value in headers.items():
            found[name] = value

    served = WhiteNoise(app.wsgi_app, max_age=FOR_EVER, allow_all_origins=False, add_headers_function=add,
                        immutable_file_test=lambda path, url: True)
    served.add_files(str(STATIC), prefix=prefix)
    app.wsgi_app = served  # type: ignore[method-assign]
    app.jinja_env.globals["asset"] = lambda name: prefix + name
    # In the page itself: one request less for each new reader, and it is smaller than a request.
    app.jinja_env.globals["icon"] = "data:image/svg+xml," + quote((STATIC / "img" / "icon.svg").read_text(encoding="utf-8").strip(), safe=" =:/'")
