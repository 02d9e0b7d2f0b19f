"""What every form of the board shares: refusals stand where a validation error would, with the text intact."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import g
from flask_wtf import FlaskForm
from sqlalchemy.exc import OperationalError
from wtforms import Field, HiddenField, IntegerField, StringField, ValidationError

from blog.clock import now
from blog.config import settings
from blog.errors import Gone, Invalid, NotFound, Refused, Unavailable
from blog.text.names import is_blank
from blog.tokens import holds, sign

# C0 and C1 controls besides tab and line ends: no keyboard makes them, XML and terminals choke on them.
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

SUBMISSION_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")


def clean_text(value: str | None) -> str | None:
    """Several lines of text: line ends as \\n, control characters gone. Given to fields as a filter."""
    if value is None:
        return None
    return CONTROLS.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


def clean_line(value: str | None) -> str | None:
    """One line of text, trimmed, inner runs of white space as one space."""
    return None if value is None else " ".join((clean_text(value) or "").split())


class BoardForm(FlaskForm):
    """Shape, length and choices only; permission, state and uniqueness are the deed's.

    In a route::

        with form.holding_refusals():
            form.check()
            with writing():
                ...deed...
        if form.accepted: ...

    `refusal` then holds what went wrong, `status` is its HTTP status.
    """

    class Meta:
        csrf = False  # blog/gate.py checks the token of every unsafe request

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refusal: Refused | None = None
        self.accepted = False

    @property
    def status(self) -> int:
        return self.refusal.status if self.refusal else 200

    @property
    def sentence(self) -> str:
        """What stands above the form, "" if nothing went wrong."""
        return self.refusal.sentence if self.refusal else ""

    def check(self) -> None:
        """Raises the refusal that the gate kept, or Invalid with the first field's message."""
        if g.get("refusal") is not None:
            raise g.refusal
        if not self.validate():
            for name, errors in self.errors.items():
                first = errors[0] if errors else "Something is missing."
                raise Invalid(str(first), name or "")

    @contextmanager
    def holding_refusals(self) -> Iterator[None]:
        """Stand outside `writing()`: a refused deed is rolled back before its sentence comes into the form."""
        try:
            yield
            self.accepted = True
        except (NotFound, Gone):
            raise
        except Refused as refusal:
            self._take(refusal)
        except OperationalError:
            self._take(Unavailable("The database is busy or can’t be reached. Nothing was saved; your text is still here. Try again in a moment."))

    def _take(self, refusal: Refused) -> None:
        self.refusal = g.held = refusal
        named = getattr(refusal, "field", "")
        if named and named in self and refusal.sentence not in self[named].errors:
            self[named].errors = [*self[named].errors, refusal.sentence]


class SubmissionField(HiddenField):
    """`submission_id`: made with the form, so that a resent form is the same deed. Optional; 16 to 64 URL-safe characters."""

    def pre_validate(self, form: Any) -> None:
        if self.data and not SUBMISSION_ID.fullmatch(self.data):
            raise ValidationError("This form’s submission_id is damaged. Reload the page and send it again.")

    @property
    def key(self) -> str | None:
        return self.data or None


class NumberField(IntegerField):
    """A whole number that may be left out; `damaged` says what is wrong with anything else."""

    damaged = "Write a whole number in figures, or leave it empty."

    def process_formdata(self, valuelist: list[str]) -> None:
        raw = valuelist[0].strip() if valuelist else ""
        self.data = None
        if raw and not (raw.isascii() and raw.isdigit() and len(raw) < 10):
            raise ValueError(self.damaged)
        if raw:
            self.data = int(raw)


class VersionField(NumberField):
    """`version`: the number of the revision that an edit began from. Optional: without it nobody asks what changed meanwhile."""

    damaged = "This form’s version is damaged. Reload the page and put your text in once more; nothing was saved."


class TrapField(StringField):
    """A field that people can't see, for programs that fill in whatever there is. Its name is one that they like."""

    def __init__(self, label: str = "Leave this empty", **options: Any) -> None:
        super().__init__(label, **options)

    @property
    def is_filled(self) -> bool:
        return bool((self.data or "").strip())


class BeganField(HiddenField):
    """When the form was made, signed: to tell how long somebody typed. Absent or damaged it tells nothing, and holds nothing."""

    data: str | None

    def begin(self) -> None:
        """Make the value of a fresh form, where the board looks at the time; one that comes back keeps its own."""
        if settings().typing_seconds and not self.data:
            moment = int(now().timestamp())
            self.data = f"{moment}.{sign('form', moment)}"

    @property
    def seconds(self) -> float | None:
        """How long ago the form was made, None where it does not say."""
        moment, _, key = (self.data or "").partition(".")
        if not (moment.isascii() and moment.isdigit() and len(moment) < 12 and holds(key, "form", int(moment))):
            return None
        return now().timestamp() - int(moment)


def length(field: Field, lowest: int, highest: int, what: str) -> None:
    """Raises ValidationError with counts in words, if the field's text is not `lowest` to `highest` characters, or nothing of it is seen."""
    size = 0 if is_blank(field.data or "") else len((field.data or "").strip())
    if size < lowest:
        sentence = f"{what} is empty." if lowest == 1 else f"{what} needs {lowest} characters at least; this has {size}."
        raise ValidationError(sentence)
    if len(field.data or "") > highest:
        raise ValidationError(f"{what} may have {highest:,} characters; this has {len(field.data):,}. It is all still here: shorten it or split it.")
