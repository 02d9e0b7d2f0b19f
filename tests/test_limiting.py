"""Budgets: whose they are, and what happens when nobody can count."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from blog import limiting
from blog.errors import TooFast, Unavailable
from tests.conftest import close, make_app


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Flask]:
    """A board that counts."""
    app = make_app(tmp_path)
    app.config["PARLEY"] = replace(app.config["PARLEY"], ratelimit_enabled=True)
    yield app
    close(app)


def test_a_budget_is_spent_by_one_and_not_by_another(counting: Flask) -> None:
    with counting.test_request_context():
        for _ in range(20):
            limiting.spend("post", 1)
        with pytest.raises(TooFast) as refused:
            limiting.spend("post", 1)
        assert 0 < refused.value.seconds <= 60 and "20 posts a minute" in refused.value.sentence
        limiting.spend("post", 2)


def test_what_nobody_can_count_is_not_done_and_the_sentence_says_so(counting: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **facts: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(limiting.SQLiteCounters, "incr", broken)
    with counting.test_request_context(), pytest.raises(Unavailable) as refused:
        limiting.spend("post", 1)
    assert "still here" in refused.value.sentence
    visitor = counting.test_client()
    token = visitor.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = visitor.post("/login", data={"username": "bo", "password": "nine green bottles hang", "csrf_token": token})
    assert answer.status_code == 503 and 'id="login-form"' in answer.text


@pytest.mark.parametrize(("address", "who"), [
    ("192.0.2.7", "192.0.2.7"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ("::ffff:192.0.2.7", "192.0.2.7"),
    ("", "unknown"),
    ("a socket", "a socket"),
])
def test_where_a_request_comes_from(counting: Flask, address: str, who: str) -> None:
    with counting.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert limiting.client() == who
