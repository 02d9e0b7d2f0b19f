"""What a form says before an act is what its receipt says afterwards."""

import html as entities

import pytest
from flask import Flask
from lxml import html as lxml_html

from blog.comments import writing
from blog.db import writing as transaction
from tests.conftest import Board
from tests.factories import make_post

WHY = "Names a condition for another member."


@pytest.mark.one_database
@pytest.mark.parametrize(("who", "path"), [
    ("mo", "/comments/1/hide"), ("mo", "/posts/the-kitchen-table/hide"), ("mo", "/posts/the-kitchen-table/lock"), ("mo", "/posts/the-kitchen-table/close"),
    ("mo", "/posts/the-kitchen-table/slow"), ("mo", "/members/bo/warn"), ("mo", "/members/bo/suspend"), ("mo", "/comments/1/redact"),
    ("anna", "/comments/1/aside"), ("mo", "/acts/1/redact"),
])
@pytest.mark.parametrize("before", [0, 1])
def test_the_preview_is_what_the_person_reads(app: Flask, board: Board, who: str, path: str, before: int) -> None:
    """As a moderator's first act, which gives them their handle, and as a later one."""
    anna, bo = board.anna, board.bo
    with app.app_context():
        post = make_post(anna.id)
        with transaction():
            writing.add(post.id, bo.viewer, writing.words("A word."))
            writing.add(post.id, bo.viewer, writing.words("Another."))
    if before or "acts" in path:
        board.max.post("/comments/2/hide", {"rule": "3", "reason": WHY})
    number = 2 if before or "acts" in path else 1
    actor = getattr(board, who)
    form = lxml_html.fromstring(actor.get(path).text)
    panel = form.xpath('//form[@class="hideform"]//div[@class="panel"]')[0]
    said = " ".join(panel.xpath(".//p[1]")[0].text_content().split()).split(" Rule ")[0]
    until = form.xpath('//input[@name="until"]/@value')
    answer = actor.post(path, {"rule": "3", "reason": WHY, "seconds": "60", **({"until": until[0]} if until else {})})
    assert answer.status_code == 303, answer.text
    person = bo if "comments" in path or "members" in path else anna
    receipt = entities.unescape(person.get(f"/acts/{number}").text)
    if "acts" in path:
        said = said.replace("an act", "act 1")
    assert said in receipt
    appeal = panel.xpath(".//p[2]")
    assert bool(appeal) is ("You can appeal once, until" in receipt)
