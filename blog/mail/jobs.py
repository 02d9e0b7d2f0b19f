"""Jobs of mail."""

from blog.db import writing
from blog.jobs.queue import Claimed, handles
from blog.jobs.schedule import nightly
from blog.mail import carrying, sending


@handles(sending.DELIVER)
def deliver(job: Claimed) -> None:
    """Write the mail, let it go, note that it went: three steps, because no transaction should wait for a mail server.

    A crash between the last two sends it again, under the same Message-ID: at least once, never not at all.
    """
    mail_id = int(job.facts["mail_id"])
    try:
        with writing():
            written = sending.write(mail_id)
        if written is not None:
            carrying.carry(written)
    except Exception as error:
        with writing():
            sending.not_sent(mail_id, error, for_good=job.is_last)
        raise
    with writing():
        if written is not None:
            sending.sent(mail_id)


@nightly("mail")
def forget_mails() -> None:
    with writing():
        sending.forget_old()
