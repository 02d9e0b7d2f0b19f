"""The form of a member's data: what to do with it."""

from wtforms import HiddenField
from wtforms.validators import AnyOf

from blog.forms import BoardForm


class DataForm(BoardForm):
    action = HiddenField(validators=[AnyOf(["export"], message="This page has one button: to download your data. Press it again.")])
