"""What every form of the board shares: its refusals are our own sentences, whatever is sent."""

import importlib
import pkgutil
import re

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

import blog
from blog.forms import BoardForm

JUNK = ("", " ", "x", "-1", "1.5", "9" * 400, "\x00\u202e", "long " * 25_000, "nobody@", "schedule")

# How the library itself begins: none of it may reach a page.
LIBRARY = re.compile(r"(?:Not a valid|Invalid |Field |This field|Number must|Unequal|Please |\W*$)")


def forms() -> list[type[BoardForm]]:
    for module in pkgutil.walk_packages(blog.__path__, "blog."):
        if module.name.endswith(".forms"):
            importlib.import_module(module.name)
    return BoardForm.__subclasses__()


@pytest.mark.one_database
@pytest.mark.parametrize("kind", forms(), ids=lambda kind: kind.__name__)
def test_no_field_answers_with_a_sentence_of_the_library(app: Flask, kind: type[BoardForm]) -> None:
    with app.test_request_context(method="POST"):
        names = list(kind(formdata=None)._fields)
        for junk in JUNK:
            form = kind(formdata=MultiDict([(name, junk) for name in names] + [("unknown", junk)]))
            form.validate()
            for name, errors in form.errors.items():
                for error in errors:
                    assert isinstance(error, str) and error.endswith(".") and not LIBRARY.match(error), (name, junk[:20], error)


def test_the_test_sees_every_form() -> None:
    assert {"PostForm", "CommentForm", "EditCommentForm", "DraftForm", "ProfileForm", "SignInForm"} <= {kind.__name__ for kind in forms()}
