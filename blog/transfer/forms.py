"""The form of a member's data: to download it, or to leave."""

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import AnyOf

from blog.forms import BoardForm, clean_line


class DataForm(BoardForm):
    """The button says which; the password, or the username of who has none, is for leaving."""

    action = HiddenField(validators=[AnyOf(["export", "leave"], message="This page has two buttons: to download your data and to leave. Press one of them.")])
    current_password = PasswordField("Present password")
    username = StringField("Your username", filters=[clean_line])
