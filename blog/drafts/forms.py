"""The form of a draft: an address, and whatever the form at that address holds."""

from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from blog.forms import BoardForm, clean_line, clean_text


class DraftForm(BoardForm):
    """Where the text belongs, and the text."""

    target = StringField(filters=[clean_line], validators=[
        InputRequired("This draft does not say which form it belongs to."),
        Length(max=300, message="The address of this draft’s form is too long to be kept. Your text is below: copy it from here."),
    ])
    body = TextAreaField(filters=[clean_text])
