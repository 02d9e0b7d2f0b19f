"""The outbox: a mail is a row, written in the transaction of the deed that causes it, and becomes words only when it is sent.

Which words, the feature that the mail is about decides when it is sent: it registers with `@fills("accounts/verify")`. So a mail that is no
longer true is not sent, and no token, which is made then too, stands in a row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Literal

from flask import current_app
from sqlalchemy import delete, func, select, update

from blog.clock import now
from blog.config import settings
from blog.db import db
from blog.jobs.queue import enqueue
from blog.mail.models import Mail

# Of one kind to one address: enough for whoever lost the first, too few to flood anybody.
DAILY = 3
DAY = timedelta(days=1)

# Rows of mails that were sent or dropped are kept for the operator's questions.
KEEP = timedelta(days=30)

DELIVER = "mail deliver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says: the template below templates/mail/, what it needs, and to whom it goes. `link` is a path of ours."""

    to: str
    template: str
    link: str
    facts: dict[str, Any] = field(default_factory=dict)


# Given the mail's facts; None when it is no longer true. Called inside a transaction that is committed before the mail goes.
Filler = Callable[[dict[str, Any]], Letter | None]
FILLERS: dict[str, Filler] = {}


def fills(kind: str) -> Callable[[Filler], Filler]:
    """Decorator: this function finds the words of that kind of mail."""

    def register(filler: Filler) -> Filler:
        FILLERS[kind] = filler
        return filler

    return register


def post(kind: str, to_address: str, facts: dict[str, Any]) -> bool:
    """Ask for a mail, in the transaction of its cause. False, and nothing asked, where the address had DAILY of this kind today.

    `to_address` is the form that mails are counted under (lower case). Three statements, four on PostgreSQL.
    """
    if settings().ratelimit_enabled:
        _one_at_a_time(kind, to_address)
        if _of_today(kind, to_address) >= DAILY:
            return False
    mail = Mail(kind=kind, to_address=to_address, facts=facts, created_at=now())
    db.session.add(mail)
    db.session.flush()
    enqueue(DELIVER, {"mail_id": mail.id})
    return True


def _one_at_a_time(kind: str, to_address: str) -> None:
    """Two that ask for the same mail at once count one after the other (on SQLite writers do anyway)."""
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"mail {kind} {to_address}"))))


def _of_today(kind: str, to_address: str) -> int:
    today = (Mail.to_address == to_address, Mail.kind == kind, Mail.created_at > now() - DAY)
    return db.session.execute(select(func.count()).select_from(Mail).where(*today)).scalar_one()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A mail with its words, ready to go."""

    mail_id: int
    to: str
    subject: str
    text: str
    message_id: str
    date: str

    def message(self, cte: Literal["8bit", "quoted-printable"] = "8bit") -> EmailMessage:
        """The mail as it travels: text alone. `cte` is how letters beyond ASCII are written down."""
        message = EmailMessage(policy=SMTP)
        message["From"] = settings().sender
        message["To"] = self.to
        message["Subject"] = self.subject
        message["Date"] = self.date
        message["Message-ID"] = f"<{self.message_id}@{settings().mail_domain}>"
        message["Auto-Submitted"] = "auto-generated"  # so that no absence note answers it
        message.set_content(self.text, charset="utf-8", cte="7bit" if self.text.isascii() else cte)
        return message


def write(mail_id: int) -> Written | None:
    """Find the words of a mail. None for one that is sent, dropped or gone; one that is no longer true is dropped here."""
    mail = db.session.get(Mail, mail_id)
    if mail is None or mail.sent_at is not None or mail.dropped_at is not None:
        return None
    letter = FILLERS[mail.kind](dict(mail.facts))
    if letter is None:
        mail.dropped_at = now()
        db.session.flush()
        return None
    text = current_app.jinja_env.get_template(f"mail/{letter.template}.txt").render(
        board=settings(), link=settings().public_url + letter.link, **letter.facts)
    first, _, rest = text.partition("\n")
    # The same for every attempt, so that a reader's program may notice that it has the mail already.
    name = f"{mail.id}.{mail.created_at:%Y%m%d%H%M%S%f}"
    return Written(mail_id=mail.id, to=letter.to, subject=" ".join(first.removeprefix("Subject:").split()), text=rest.strip() + "\n",
                   message_id=name, date=format_datetime(now()))


def sent(mail_id: int) -> None:
    """The mail went out."""
    db.session.execute(update(Mail).where(Mail.id == mail_id).values(sent_at=now(), error=None))


def not_sent(mail_id: int, error: Exception, for_good: bool) -> None:
    """The mail could not go out; `for_good` when nobody will try again."""
    values = {"error": f"{type(error).__name__}: {error}"[:500], "dropped_at": now() if for_good else None}
    db.session.execute(update(Mail).where(Mail.id == mail_id).values(**values))


def forget_old() -> None:
    """Take away the rows of mails that were sent or dropped long ago."""
    ended = (Mail.sent_at.is_not(None) | Mail.dropped_at.is_not(None)) & (Mail.created_at < now() - KEEP)
    db.session.execute(delete(Mail).where(ended))
