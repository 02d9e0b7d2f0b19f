"""Topics as they are typed."""

import pytest

from blog.errors import Invalid
from blog.topics import naming


def test_names_part_at_commas_and_count_once() -> None:
    assert naming.split(["Money and time, Coaching", "money AND time!"]) == ["Money and time", "Coaching"]
    assert naming.split(["", " , "]) == []


@pytest.mark.parametrize(("typed", "sentence"), [
    ("one, two too, three, four", "may have 3 topics; this has 4"),
    ("x", "2 to 40 characters"),
    ("x" * 41, "2 to 40 characters"),
    ("?!", "a letter or digit"),
    ("aa," * 170_000, "far more"),
    ("a" + "\u0315\u0300" * 250_000, "far more"),
])
def test_what_no_post_may_have_is_refused_with_a_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        naming.split([typed])
    assert refused.value.field == "topics" and len(refused.value.sentence) < 300
