"""Refusals: the few errors that deeds raise, each with the sentence that people read. `blog/refusals.py` turns them into pages."""

from datetime import datetime


class Refused(Exception):
    """Something that was asked for is not done. `sentence` says what happened and what to do next."""

    status = 400
    title = "That request can’t be read."

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Malformed(Refused):
    """The request itself makes no sense: junk encoding, a broken cursor."""


class BadToken(Refused):
    """The form's token does not belong to this visit: expired, or sent from elsewhere."""

    title = "This form was opened in another visit."


class NotAllowed(Refused):
    """A ruling of `permissions` said no; its sentence is repeated."""

    status = 403
    title = "That is not yours to do."


class NotFound(Refused):
    status = 404
    title = "There is nothing at this address."

    def __init__(self, sentence: str = "It may have been renamed, or its writer may have taken it down.") -> None:
        super().__init__(sentence)


class Conflict(Refused):
    """Somebody was faster. `mine` is what was sent, `theirs` what stands now."""

    status = 409
    title = "It changed in the meantime."

    def __init__(self, sentence: str, mine: str = "", theirs: str = "", version: int = 0) -> None:
        super().__init__(sentence)
        self.mine, self.theirs, self.version = mine, theirs, version


class Gone(Refused):
    status = 410
    title = "It is no longer here."


class TooLarge(Refused):
    status = 413
    title = "That is too much at once."


class Invalid(Refused):
    """A field does not hold what it should. `field` names it, if it is one."""

    status = 422
    title = "Something is missing."

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class TooFast(Refused):
    """A budget is used up. `seconds` to wait, `until` the clock time."""

    status = 429
    title = "A moment, please."

    def __init__(self, sentence: str, seconds: int, until: datetime) -> None:
        super().__init__(sentence)
        self.seconds, self.until = seconds, until


class Unavailable(Refused):
    status = 503
    title = "The board can’t answer just now."
