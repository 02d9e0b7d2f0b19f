"""The public log: every act in order, nobody's name, filters, and figures that recompute from the lines of its pages."""

import re
import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from flask import Flask
from lxml import etree
from lxml import html as lxml_html
from sqlalchemy import select, update

from blog.acts import recording
from blog.acts.models import Act, ActKind, Rule, TargetKind
from blog.clock import now, stopped_at
from blog.db import db
from blog.db import writing as transaction
from blog.moderation.models import Appeal
from blog.viewer import Viewer
from tests.accounts.postbox import having
from tests.conftest import Board, Visitor, counted

REASON = "Names a condition for another member."


@pytest.fixture(autouse=True)
def cast(board: Board) -> None:
    """Members are made before a test opens a transaction."""
    assert board.bo.id
    assert board.mo.id
    assert board.max.id


def act(app: Flask, by: Visitor, person: Visitor | None, kind: ActKind = ActKind.HIDE, *, days_ago: float = 0, rule: int = 3, reason: str = REASON,
        undoes: int | None = None, about: int | None = None, target: tuple[TargetKind, int] = (TargetKind.COMMENT, 1)) -> int:
    """An act on its own, without the effect that the log does not look at. Gives its number."""
    with app.app_context(), stopped_at(now() - timedelta(days=days_ago)), transaction():
        ids = [db.session.execute(select(Act.id).where(Act.number == number)).scalar_one() if number else None for number in (undoes, about)]
        viewer: Viewer = by.viewer
        return recording.record(kind, viewer, person_id=person.id if person else None, target=target, rule_id=rule, reason=reason,
                                scope="this comment only", undoes_id=ids[0], about_id=ids[1]).number


def appeal(app: Flask, number: int, person: Visitor, *, filed: timedelta, outcome: str = "", decided_by: int = 0) -> None:
    """An appeal against act `number`, filed so long before now, and decided by act `decided_by` at its time."""
    with app.app_context(), transaction():
        of = {row.number: row for row in db.session.execute(select(Act)).scalars()}
        decision = of.get(decided_by)
        db.session.add(Appeal(act_id=of[number].id, person_id=person.id, statement="It was a bird.", state="decided" if outcome else "open",
                              outcome=outcome or None, decided_by=decision.id if decision else None, filed_at=now() - filed,
                              decided_at=decision.created_at if decision else None))


def numbers(visitor: Visitor, path: str = "/log") -> list[int]:
    """The numbers of the lines, over all pages."""
    found: list[int] = []
    while path:
        tree = lxml_html.fromstring(visitor.get(path).text)
        found += [int(li.get("id").removeprefix("act-")) for li in tree.xpath('//ol[@class="ledger"]/li')]
        path = next(iter(tree.xpath('//a[@rel="next"]/@href')), "")
    return found


def lines(visitor: Visitor, path: str = "/log") -> dict[int, str]:
    """The whole text of each line."""
    tree = lxml_html.fromstring(visitor.get(path).text)
    return {int(li.get("id").removeprefix("act-")): " ".join(li.text_content().split()) for li in tree.xpath('//ol[@class="ledger"]/li')}


def figures(visitor: Visitor, path: str = "/log") -> list[str]:
    tree = lxml_html.fromstring(visitor.get(path).text)
    return [" ".join(dd.text_content().split()) for dd in tree.xpath('//dl[@class="figs"]//dd')]


def test_every_act_stands_in_the_log_in_order_with_rule_and_reason(app: Flask, board: Board) -> None:
    act(app, board.mo, board.bo)
    act(app, board.max, board.bo, ActKind.WARN, rule=2, reason="Offers a paid course in three replies.", target=(TargetKind.MEMBER, board.bo.id))
    found = lines(board.cy)
    assert list(found) == [2, 1]
    assert "M1 hid a comment" in found[1]
    assert "rule 3" in found[1]
    assert REASON in found[1]
    assert "Told at once." in found[1]
    assert "Appeal open until" in found[1]
    assert "M2 warned a member" in found[2]


def test_nobodys_name_stands_in_the_log_and_a_moderators_only_by_setting(app: Flask, board: Board) -> None:
    act(app, board.mo, board.bo, days_ago=1)
    for path in ("/log", "/log.atom"):
        for who in (board.cy, board.bo, board.mo):
            text = re.sub(r"(?s)<header.*?</header>", "", who.get(path).text)
            assert not re.search(r"\bBo\b", re.sub(r'="[^"]*"', "", text))
            assert "bo<" not in text
            assert ">Mo" not in text
    with having(app, log_names=True):
        assert "Mo hid a comment" in board.cy.get("/log").text
        assert "Mo hid a comment" in board.cy.get("/log.atom").text
        assert ">Bo<" not in board.cy.get("/log").text


def test_pages_follow_each_other_without_a_gap(app: Flask, board: Board) -> None:
    for _ in range(65):
        act(app, board.mo, board.bo)
    assert numbers(board.cy) == list(range(65, 0, -1))
    assert board.cy.get("/log?after=junk").status_code == 400
    assert board.cy.get("/log?after=1").status_code == 200


def test_filters_ask_for_kind_rule_outcome_and_period(app: Flask, board: Board) -> None:
    act(app, board.mo, board.bo, days_ago=100)
    act(app, board.mo, board.bo, ActKind.WARN, days_ago=50, rule=2, target=(TargetKind.MEMBER, board.bo.id))
    act(app, board.mo, board.bo, days_ago=20)
    act(app, board.max, board.bo, ActKind.OVERTURN, days_ago=19, undoes=3)
    appeal(app, 3, board.bo, filed=timedelta(days=19.5), outcome="overturn", decided_by=4)
    act(app, board.mo, board.bo, days_ago=10)
    appeal(app, 5, board.bo, filed=timedelta(days=9))
    act(app, board.mo, board.bo, days_ago=5)
    act(app, board.mo, board.bo, ActKind.UNHIDE, days_ago=4, undoes=6)
    cy = board.cy
    assert numbers(cy) == [7, 6, 5, 4, 3, 2, 1]
    assert numbers(cy, "/log?kind=hide") == [6, 5, 3, 1]
    assert numbers(cy, "/log?rule=2") == [2]
    assert numbers(cy, "/log?outcome=appealed") == [5, 3]
    assert numbers(cy, "/log?outcome=open") == [5]
    assert numbers(cy, "/log?outcome=overturned") == [3]
    assert numbers(cy, "/log?outcome=upheld") == []
    assert numbers(cy, "/log?outcome=lifted") == [6]
    since, until = ((now() - timedelta(days=days)).date() for days in (60, 15))
    assert numbers(cy, f"/log?from={since}&to={until}") == [4, 3, 2]
    assert numbers(cy, f"/log?from={since}&kind=hide&outcome=") == [6, 5, 3]
    for nonsense in ("kind=x", "rule=x", "rule=99999999999", "outcome=x", "from=x&to=9999-12-31", "from=0001-01-01"):
        assert numbers(cy, f"/log?{nonsense}") == [7, 6, 5, 4, 3, 2, 1], nonsense
    # A day includes all of it.
    day = (now() - timedelta(days=10)).date()
    assert numbers(cy, f"/log?from={day}&to={day}") == [5]


def test_a_rule_that_was_changed_is_asked_for_by_its_number(app: Flask, board: Board) -> None:
    act(app, board.mo, board.bo)
    with app.app_context(), transaction():
        db.session.execute(update(Rule).where(Rule.id == 3).values(retired_at=now()))
        db.session.add(Rule(id=77, number=3, title="No diagnoses of anybody", text="", created_at=now()))
    act(app, board.mo, board.bo, rule=77)
    assert numbers(board.cy, "/log?rule=3") == [2, 1]


def instants(li: lxml_html.HtmlElement) -> list[datetime]:
    return [datetime.fromisoformat(time.get("datetime")) for time in li.xpath('.//p[@class="state"]//time')]


def recomputed(visitor: Visitor, query: str, since: datetime | None) -> list[str]:
    """The figures from the lines of all pages alone: how many, how many say Appealed, how many overturned, and the times beside them."""
    acts = appealed = overturned = 0
    hours: list[float] = []
    path = f"/log?{query}"
    while path:
        tree = lxml_html.fromstring(visitor.get(path).text)
        for li in tree.xpath('//ol[@class="ledger"]/li'):
            if since and datetime.fromisoformat(li.xpath('.//div/p[1]/time/@datetime')[0]) < since:
                continue
            acts += 1
            state = " ".join("".join(li.xpath('.//p[@class="state"]//text()')).split())
            if "Appealed " in state:
                appealed += 1
                overturned += "; overturned by" in state
                if "not decided" not in state:
                    filed, decided = instants(li)[:2]
                    hours.append((decided - filed).total_seconds() / 3600)
        path = next(iter(tree.xpath('//a[@rel="next"]/@href')), "")

    def share(count: int) -> str:
        return f"{round(100 * count / acts)} % {count} of {acts}" if acts else "none"

    return [str(acts), share(appealed), share(overturned), f"{statistics.median(hours):.1f} h" if hours else "none yet"]


def decided(app: Flask, board: Board, number: int, outcome: str, filed_days: float, hours: float) -> None:
    """An appeal of act `number` filed so many days ago and decided some hours later by max."""
    kind = ActKind(outcome)
    ended = {"undoes": number} if kind == ActKind.OVERTURN else {"about": number}
    decision = act(app, board.max, board.bo, kind, days_ago=filed_days - hours / 24, **ended)
    appeal(app, number, board.bo, filed=timedelta(days=filed_days), outcome=outcome, decided_by=decision)


QUERIES: Sequence[str] = ("", "kind=hide", "kind=warn", "rule=2", "rule=3", "outcome=appealed", "outcome=overturned", "outcome=open", "kind=overturn")


def test_the_figures_recompute_from_the_lines(app: Flask, board: Board) -> None:
    assert figures(board.cy) == ["0", "none", "none", "none yet"] == recomputed(board.cy, "", None)
    act(app, board.mo, board.bo, days_ago=95)
    for number in range(40):
        act(app, board.mo if number % 3 else board.max, board.bo, ActKind.WARN if number % 4 == 0 else ActKind.HIDE, days_ago=80 - number, rule=2 + number % 2)
    for number, outcome, hours in ((5, "uphold", 3.21), (8, "overturn", 26.4), (11, "soften", 0.51), (14, "overturn", 7.77)):
        decided(app, board, number, outcome, 30 - number, hours)
    for number in (20, 21, 1):
        appeal(app, number, board.bo, filed=timedelta(days=2))
    since = now() - timedelta(days=90)
    for query in QUERIES:
        assert figures(board.cy, f"/log?{query}") == recomputed(board.cy, query, since), query
    assert figures(board.cy)[3] == "5.5 h"  # the middle of 0.51, 3.21, 7.77 and 26.4
    period = f"from={(now() - timedelta(days=100)).date()}&to={(now() - timedelta(days=20)).date()}"
    assert figures(board.cy, f"/log?{period}") == recomputed(board.cy, period, None)
    assert figures(board.cy, f"/log?{period}&outcome=appealed") == recomputed(board.cy, f"{period}&outcome=appealed", None)


def test_a_line_tells_what_became_of_it(app: Flask, board: Board) -> None:
    act(app, board.mo, board.bo, days_ago=3)
    decided(app, board, 1, "overturn", 2, 6)
    act(app, board.mo, board.bo, days_ago=1)
    act(app, board.mo, board.bo, ActKind.UNHIDE, undoes=3)
    found = lines(board.cy)
    assert "; overturned by act 2, " in found[1]
    assert "6.0 h later" in found[1]
    assert "Appeal open" not in found[1]
    assert "M2 overturned act 1" in found[2]
    assert "Decided 6.0 h after the appeal of act 1" in found[2]
    assert "Taken back by act 4." in found[3]
    assert "About act 3." in found[4]


def test_a_reason_that_was_taken_out_is_told_as_that(app: Flask, board: Board) -> None:
    act(app, board.mo, board.bo, days_ago=1, reason="Zebrafinch of Mill Lane said so.")
    with app.app_context():
        target = db.session.execute(select(Act.id)).scalar_one()
    act(app, board.max, None, ActKind.REDACT, reason="The reason named a person.", target=(TargetKind.ACT, target))
    for path in ("/log", "/log.atom"):
        assert "Zebrafinch" not in board.cy.get(path).text
        assert "The reason was taken out by" in board.cy.get(path).text
    assert "M2 took the reason out of act 1" in board.cy.get("/log").text
    assert "Zebrafinch" not in board.bo.get("/notices").text


def test_the_feed_holds_the_newest_acts(app: Flask, board: Board) -> None:
    for number in range(25):
        act(app, board.mo, board.bo, days_ago=1, reason=f"{REASON} <b>{number}</b> & more")
    answer = board.cy.get("/log.atom")
    assert answer.status_code == 200
    tree = etree.fromstring(answer.data)
    atom = {"a": "http://www.w3.org/2005/Atom"}
    titles = tree.xpath("//a:entry/a:title/text()", namespaces=atom)
    assert titles[0] == "Act 25: M1 hid a comment"
    assert len(titles) == 20
    content = tree.xpath("//a:entry/a:content/text()", namespaces=atom)[0]
    assert f"{REASON} &lt;b&gt;24&lt;/b&gt; &amp; more" in content
    assert len(set(tree.xpath("//a:entry/a:id/text()", namespaces=atom))) == 20
    again = board.cy.get("/log.atom", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_statements_do_not_grow_with_the_acts(app: Flask, board: Board) -> None:
    def statements(path: str) -> int:
        with counted(app) as seen:
            assert board.cy.get(path).status_code == 200
        return len(seen)

    act(app, board.mo, board.bo, days_ago=1)
    paths = ("/log", "/log?rule=3&outcome=appealed", "/log.atom")
    at_one = [statements(path) for path in paths]
    for number in range(60):
        act(app, board.mo, board.bo, days_ago=1)
        if number % 2:
            decided(app, board, number, "uphold" if number % 3 else "overturn", 0.9, 3)
    assert [statements(path) for path in paths] == at_one
    assert max(at_one) <= 4, at_one
