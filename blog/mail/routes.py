"""Doors of mail: in development, the mails that went into the instance folder."""

import re

from flask import Blueprint
from werkzeug.wrappers import Response

from blog.config import settings
from blog.errors import NotFound
from blog.mail import carrying
from blog.web import open_to_all, page_or_fragment

bp = Blueprint("mail", __name__)


@bp.get("/dev/mail")
@open_to_all
def sent() -> Response:
    _only_development()
    return page_or_fragment("mail/sent.html", "mail/sent.html", mails=carrying.carried(), pieces=pieces, by_smtp=bool(settings().mail_server))


@bp.get("/dev/mail/<key:number>")
@open_to_all
def one(number: int) -> Response:
    _only_development()
    found = carrying.carried_one(number)
    if found is None:
        raise NotFound("There is no mail of that number in the instance folder.")
    return page_or_fragment("mail/one.html", "mail/one.html", mail=found, pieces=pieces)


def _only_development() -> None:
    if settings().is_production:
        raise NotFound()


def pieces(text: str) -> list[tuple[str, str]]:
    """The mail's text in pieces, each with the path it leads to: our own links work wherever the board is opened from."""
    own = re.compile(re.escape(settings().public_url) + r"(/\S*)")
    found, at = [], 0
    for match in own.finditer(text):
        found += [(text[at:match.start()], ""), (match.group(), match.group(1))]
        at = match.end()
    return [*found, (text[at:], "")]
