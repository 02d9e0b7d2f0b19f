"""Mail addresses as text: which are well formed, and under which form they are one and the same."""

from typing import NamedTuple

import email_validator
from email_validator import EmailNotValidError, validate_email

# Names set aside for intranets and trials (.local, .test): whether mail arrives there, only the mail itself can tell.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


# RFC 5321 has 254; what is far longer is not worth the parser's time.
LONGEST = 320


class Email(NamedTuple):
    """An address as it was given, and the lower-case form that it is found by."""

    address: str
    key: str


def read(raw: str) -> Email:
    """The address in what somebody typed. Raises ValueError with a sentence for people."""
    try:
        if len(raw.strip()) > LONGEST:
            raise EmailNotValidError
        found = validate_email(raw.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise ValueError("This does not look like an e-mail address. It should have the form name@example.org.") from None
    return Email(found.normalized, found.normalized.lower())


def key_of(raw: str) -> str:
    """The form that an address is found by; anything else in lower case, which then finds nothing."""
    try:
        return read(raw).key
    except ValueError:
        return raw.strip().lower()


def for_sending(address: str) -> str:
    """The address in ASCII, as mail servers want it."""
    return validate_email(address, check_deliverability=False, allow_smtputf8=False).ascii_email or address
