"""Forms of accounts: shape only."""

from functools import cache
from typing import Any

from wtforms import EmailField, HiddenField, PasswordField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice

from blog.accounts import emails, profile
from blog.accounts.models import Member
from blog.accounts.registering import USERNAME_SHAPE
from blog.forms import BeganField, BoardForm, TrapField, clean_line, clean_text
from blog.text.names import clean_display_name, is_username

THEMES = [SelectChoice("system", "As my system has it"), SelectChoice("light", "Light"), SelectChoice("dark", "Dark")]


@cache
def zone_choices() -> list[SelectChoice]:
    """The board's own zone, then all zones by region."""
    named = [SelectChoice(name, name.replace("_", " "), optgroup=region) for region, names in profile.zones().items() for name in names]
    return [SelectChoice("", "The board’s own", optgroup="Board"), *named]


def email_shape(form: BoardForm, field: Any) -> None:
    """Raises ValidationError for what is no mail address."""
    try:
        emails.read(field.data or "")
    except ValueError as error:
        raise ValidationError(str(error)) from None


def display_name_shape(form: BoardForm, field: Any) -> None:
    """Raises ValidationError for a name that can't be shown."""
    try:
        clean_display_name(field.data or "")
    except ValueError as error:
        raise ValidationError(str(error)) from None


class SignInForm(BoardForm):
    """Every failure has one answer, so nothing is said here about shapes."""

    username = StringField("Username or e-mail", filters=[clean_line])
    password = PasswordField("Password")
    next = HiddenField()


class JoinForm(BoardForm):
    username = StringField("Username", filters=[clean_line])
    email = EmailField("E-mail", [email_shape], filters=[clean_line])
    display_name = StringField("Name that others see", filters=[clean_line])
    password = PasswordField("Password")
    next = HiddenField()
    invitation = HiddenField(filters=[clean_line])
    homepage = TrapField()
    began = BeganField()

    def validate_username(self, field: Any) -> None:
        if not is_username(field.data or ""):
            raise ValidationError(USERNAME_SHAPE)

    def validate_display_name(self, field: Any) -> None:
        if field.data:
            display_name_shape(self, field)


class SendAgainForm(BoardForm):
    """The link once more, to another address if one is given."""

    email = EmailField("Another address", filters=[clean_line])

    def validate_email(self, field: Any) -> None:
        if field.data:
            email_shape(self, field)


class ForgotForm(BoardForm):
    email = EmailField("E-mail", [email_shape], filters=[clean_line])


class NewPasswordForm(BoardForm):
    password = PasswordField("New password")


class PressForm(BoardForm):
    """A button alone."""


class ProfileForm(BoardForm):
    """A field that was not sent leaves things as they are."""

    NAMES = ("display_name", "about", "theme", "zone")

    display_name = StringField("Name", filters=[clean_line])
    about = TextAreaField("About you", filters=[clean_text])
    theme = RadioField("Colours", choices=THEMES, validate_choice=False)
    zone = SelectField("Time zone", validate_choice=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone.choices = zone_choices()

    def given(self) -> dict[str, str]:
        """The fields that were sent."""
        return {name: self[name].data or "" for name in self.NAMES if self[name].raw_data}

    def begin_with(self, member: Member, kept: dict[str, Any]) -> None:
        """Fill what was not sent: with what was typed before and not saved, else with what holds."""
        for name in set(self.NAMES) - set(self.given()):
            self[name].data = kept.get(name) or getattr(member, name) or ""


class SecurityForm(BoardForm):
    """A new password, or a signed-in browser to end: the fields decide which."""

    current_password = PasswordField("Present password")
    password = PasswordField("New password")
    end = HiddenField()

    def validate_end(self, field: Any) -> None:
        raw = field.data or ""
        if raw and raw != "others" and not (raw.isascii() and raw.isdigit() and len(raw) < 19):
            raise ValidationError("That browser can’t be found among yours.")
