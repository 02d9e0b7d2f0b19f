"""How a written mail leaves: over SMTP where a server is set, else as one file in the instance folder, which /dev/mail shows."""

import logging
import os
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from blog.clock import now
from blog.config import Settings, settings
from blog.mail.sending import Written

log = logging.getLogger(__name__)

# For each answer of the server.
PATIENCE_SECONDS = 10

# A page of mails sent.
SHOWN = 50


def carry(written: Written) -> None:
    """Send it. Raises OSError or smtplib.SMTPException if it can't be."""
    if settings().mail_server:
        _by_smtp(written, settings())
    else:
        _into_file(written, folder())


def _by_smtp(written: Written, board: Settings) -> None:
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if board.mail_use_ssl:
        server = smtplib.SMTP_SSL(board.mail_server, board.mail_port, timeout=PATIENCE_SECONDS, context=context)
    else:
        server = smtplib.SMTP(board.mail_server, board.mail_port, timeout=PATIENCE_SECONDS)
    with server:
        server.ehlo()
        if board.mail_use_tls and not board.mail_use_ssl:
            server.starttls(context=context)  # raises where the server can't: nothing goes out in clear then
            server.ehlo()
        if board.mail_username:
            server.login(board.mail_username, board.mail_password)
        server.send_message(written.message("8bit" if server.has_extn("8bitmime") else "quoted-printable"))


def folder() -> Path:
    """Where the files lie."""
    return settings().instance_path / "mail"


def _into_file(written: Written, where: Path) -> None:
    """One file, whole or not at all, for its owner's eyes only: it holds a working link."""
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{now():%Y%m%dT%H%M%S.%fZ}-{written.mail_id}.eml"
    unfinished = where / f".{name}.{os.getpid()}"
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(written.message().as_bytes())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(where / name)
    if not settings().is_production:  # a log of addresses is nobody's business there
        log.info("mail to %s: %s (%s)", written.to, written.subject, where / name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A mail that lies in the folder."""

    number: int
    to: str
    subject: str
    at: datetime | None
    text: str


def carried() -> list[Carried]:
    """The mails in the folder, newest first, at most SHOWN."""
    return [_read(path) for path in sorted(folder().glob("*.eml"), reverse=True)[:SHOWN]]


def carried_one(number: int) -> Carried | None:
    """The newest mail of that number in the folder."""
    found = sorted(folder().glob(f"*-{number}.eml"))
    return _read(found[-1]) if found else None


def _read(path: Path) -> Carried:
    message = message_from_bytes(path.read_bytes(), policy=default)
    return Carried(number=int(path.stem.rpartition("-")[2]), to=str(message["To"]), subject=str(message["Subject"]),
                   at=message["Date"].datetime, text=message.get_content())
