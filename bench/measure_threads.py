"""What each reading and each deed of a thread costs, from a hundred comments to a million, in one run: `make bench-threads`.

Everything goes through the whole application (test client, production settings, no budgets). Rounds are interleaved over sizes, shapes and
readings, so that a busy minute of the machine falls on all alike; what is compared is CPU time of this process and of the database's.
Beside it stands a floor of the same run: bare Flask answering a ready page of the same size through the same client.
"""

import argparse
import gzip
import random
import re
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from flask import Flask, Response
from flask.testing import FlaskClient

from bench import document, picture, threads
from bench.ground import DATABASES, CpuClock, board, folder, machine, packed, sign_in, signed_in, tallied, token_of
from blog import caching
from blog.accounts.models import Role
from blog.comments.thread import SORTS
from blog.db import db

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
FLOOR = "floor: bare Flask, a ready page"
WARMING = 3  # rounds before the first that counts: statements get prepared, caches filled

# What a first page of the largest thread may cost, as a multiple of one of a hundred comments.
MOST_TIME, MOST_BYTES = 1.5, 1.2

OUT, IN = "signed out", "signed in"
ANEW, KEPT, AGAIN = "drawn anew", "kept", "asked again: 304"

# A page this full is a page of a hundred comments. In a small thread of long chains most stands behind "continue this thread".
FULL = 90

# What a first page of a hundred comments may cost beside bare Flask, and what it may weigh.
MOST_TIMES_BARE = ((OUT, KEPT, 2.0), (OUT, AGAIN, 1.8), (IN, KEPT, 5.0))
MOST_KB = 32

BROWSER = {"Accept-Encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is measured: who asks for what in which thread, and in which state the stores are."""

    database: str
    shape: str
    size: int
    name: str
    state: str

    @property
    def row(self) -> tuple[str, str, str]:
        return self.database, self.name, self.state

    def at(self, size: int) -> "Case":
        """The same in the thread of another size."""
        return replace(self, size=size)


@dataclass(slots=True)
class Taken:
    """What a case took, round by round, and once counted."""

    cpu: list[float] = field(default_factory=list)  # milliseconds
    wall: list[float] = field(default_factory=list)
    statements: int = 0
    rows: int = 0
    status: int = 0
    packed: int = 0  # bytes as a browser gets them
    shown: int = 0  # comments on the page

    @property
    def median(self) -> float:
        return statistics.median(self.cpu)

    @property
    def best(self) -> float:
        return min(self.cpu)


Results = dict[Case, Taken]


def bare(pages: dict[str, bytes]) -> Flask:
    """Flask and nothing else: a ready page by name, compressed as the board's own are."""
    app = Flask("bare", static_folder=None)

    @app.get("/<name>")
    def page(name: str) -> Response:
        return Response(pages[name], mimetype="text/html", headers={"Content-Encoding": "gzip"})

    return app


class Bench:
    """One database's board, its browsers and its threads."""

    def __init__(self, database: str, app: Flask, loaded: list[threads.Loaded], rounds: int) -> None:
        self.database, self.app, self.loaded, self.rounds = database, app, loaded, rounds
        self.stranger = app.test_client()
        self.member = signed_in(app, sign_in(app, "bench"))
        self.moderator = signed_in(app, sign_in(app, "benchmod", Role.MODERATOR))
        self.results: Results = {}
        self.dice = random.Random(7)

    # -- readings

    def readings(self) -> None:
        """Every reading in every thread, both signed out and in, drawn anew, kept, and asked again."""
        pages = {f"{at.shape}-{at.size}": self.stranger.get(f"/posts/{at.slug}", headers=BROWSER).get_data() for at in self.loaded}
        floor = bare(pages).test_client()
        cases: list[tuple[Case, FlaskClient, str, dict[str, str]]] = []
        for at in self.loaded:
            cases.append((Case(self.database, at.shape, at.size, FLOOR, ""), floor, f"/{at.shape}-{at.size}", BROWSER))
            for name, path, headers, is_kept in asked(at):
                for who, client in ((OUT, self.stranger), (IN, self.member)):
                    states = (ANEW, KEPT, AGAIN) if name == "first page, oldest" else (ANEW, KEPT) if is_kept else ("",)
                    for state in states:
                        case = Case(self.database, at.shape, at.size, name, f"{who}, {state}" if state else who)
                        cases.append((case, client, path, {**BROWSER, **headers}))
        for case, client, path, headers in cases:
            self._count(case, client, path, headers)
        clock = self._clock()
        for turn in range(WARMING + self.rounds):
            say(f"{self.database}: readings, round {turn - WARMING + 1} of {self.rounds}")
            self.dice.shuffle(cases)
            for case, client, path, headers in cases:
                prepared = self._prepare(case, client, path, headers)
                self._time(case, clock, client, path, prepared, counts=turn >= WARMING)

    def _prepare(self, case: Case, client: FlaskClient, path: str, headers: dict[str, str]) -> dict[str, str]:
        """Bring the stores into the state of the case; gives the headers to send."""
        if case.state.endswith(ANEW):
            caching.clear_all()
        elif case.state.endswith((KEPT, AGAIN)):
            client.get(path, headers=headers).close()
        if not case.state.endswith(AGAIN):
            return headers
        answer = client.get(path, headers=headers)  # the second one: a member's first visit changes what the page says
        answer.close()
        return {**headers, "If-None-Match": answer.headers["ETag"]}

    def _time(self, case: Case, clock: CpuClock, client: FlaskClient, path: str, headers: dict[str, str], counts: bool) -> None:
        wall, cpu = time.perf_counter(), clock.read()
        answer = client.get(path, headers=headers)
        answer.get_data()
        answer.close()
        took = clock.read() - cpu
        taken = self.results[case]
        if answer.status_code != taken.status:
            raise SystemExit(f"{case}: {path} answered {answer.status_code}, before it was {taken.status}")
        if counts:
            taken.cpu.append(took)
            taken.wall.append((time.perf_counter() - wall) * 1000)

    def _count(self, case: Case, client: FlaskClient, path: str, headers: dict[str, str]) -> None:
        prepared = self._prepare(case, client, path, headers)
        with tallied(self.app) as tally:
            answer = client.get(path, headers=prepared)
            body = answer.get_data()
        if answer.status_code != (304 if case.state.endswith(AGAIN) else answer.status_code) or answer.status_code not in (200, 204, 303, 304):
            raise SystemExit(f"{case}: {path} answered {answer.status_code}")
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.results[case] = Taken(
            statements=len(tally.statements), rows=tally.rows, status=answer.status_code, packed=packed(body), shown=body.count(b'<article id="comment-'),
        )

    def _clock(self) -> CpuClock:
        self.stranger.get("/")  # the pool's connections exist before their processes are looked for
        return CpuClock(self.app)

    # -- deeds

    def deeds(self) -> None:
        """Every deed in every thread. They change the threads a little, so they come last."""
        tokens = {client: token_of(client.get("/settings/profile").text) for client in (self.member, self.moderator)}
        clock = self._clock()
        words = iter(threads.Words(11))
        for turn in range(WARMING + self.rounds):
            say(f"{self.database}: deeds, round {turn - WARMING + 1} of {self.rounds}")
            self.dice.shuffle(self.loaded)
            for at in self.loaded:
                self._deeds_in(at, clock, tokens, lambda: next(words)[0], turn)

    def _deeds_in(self, at: threads.Loaded, clock: CpuClock, tokens: dict[FlaskClient, str], words: Callable[[], str], turn: int) -> None:
        made = 0

        def do(name: str, *steps: tuple[FlaskClient, str, dict[str, str]]) -> str:
            """Send the forms one after the other; gives where the last one led."""
            case = Case(self.database, at.shape, at.size, name, "")
            taken = self.results.setdefault(case, Taken())
            forms = [(client, path, {**fields, "csrf_token": tokens[client]}) for client, path, fields in steps]
            place = ""

            def send() -> None:
                nonlocal place
                for client, path, fields in forms:
                    answer = client.post(path, data=fields)
                    if answer.status_code != 303:
                        raise SystemExit(f"{name}: {path} answered {answer.status_code}")
                    place = answer.headers["Location"]
                    answer.close()

            if turn == 0:
                with tallied(self.app) as tally:
                    send()
                taken.statements, taken.rows = len(tally.statements), tally.rows
                return place
            wall, cpu = time.perf_counter(), clock.read()
            send()
            took = clock.read() - cpu
            if turn >= WARMING:
                taken.cpu.append(took)
                taken.wall.append((time.perf_counter() - wall) * 1000)
            return place

        def fields(**more: str) -> dict[str, str]:
            return {"body": words(), "submission_id": secrets.token_urlsafe(18), **more}

        do("a new comment", (self.member, f"/posts/{at.slug}/comments", fields()))
        place = do("reply to the busiest", (self.member, f"/posts/{at.slug}/comments", fields(parent_id=str(at.busiest_id))))
        made = int(re.findall(r"#comment-(\d+)", place)[0])
        do("reply to the deepest", (self.member, f"/posts/{at.slug}/comments", fields(parent_id=str(at.deepest_id))))
        do("edit", (self.member, f"/comments/{made}/edit", {"body": words(), "version": "1"}))
        thank = f"/comments/{at.middle_id}/thank"
        do("thank, take it back", (self.member, thank, {"on": "1"}), (self.member, thank, {"on": "0"}))
        reason = "Measured: hidden and brought back."
        do("hide, unhide", (self.moderator, f"/comments/{at.middle_id}/hide", {"rule": "1", "reason": reason}),
           (self.moderator, f"/comments/{at.middle_id}/unhide", {"reason": reason}))
        do("delete, restore", (self.member, f"/comments/{made}/delete", {}), (self.member, f"/comments/{made}/restore", {}))


def asked(at: threads.Loaded) -> list[tuple[str, str, dict[str, str], bool]]:
    """The readings of a thread: name, path, headers, and whether what is drawn is kept."""
    fragment = {"HX-Request": "true"}
    half = at.first_id + at.size // 2
    first: list[tuple[str, str, dict[str, str], bool]] = [
        (f"first page, {sort}", f"/posts/{at.slug}" + (f"?sort={sort}" if sort != "oldest" else ""), {}, True) for sort in SORTS]
    return [
        *first,
        ("page in the middle, oldest", f"/posts/{at.slug}?after={at.middle_cursors['oldest']}", {}, True),
        ("page in the middle, thanked", f"/posts/{at.slug}?sort=thanked&after={at.middle_cursors['thanked']}", {}, True),
        ("replies of the busiest", f"/comments/{at.busiest_id}", {}, False),
        ("more replies of the busiest", f"/comments/{at.busiest_id}/replies?after={half}", fragment, False),
        ("permalink of the deepest", f"/comments/{at.deepest_id}", {}, False),
        ("number N", f"/posts/{at.slug}?number={at.size // 2}", {}, False),
        ("new since, asked each minute", f"/posts/{at.slug}/new?since={at.size // 2}", fragment, False),
        ("first new after N", f"/posts/{at.slug}?newer={at.size // 2}", {}, False),
    ]


def say(words: str) -> None:
    """To whoever waits."""
    print(f"\r{words:<60}", end="", file=sys.stderr, flush=True)


def threads_of(app: Flask, sizes: Iterable[int], shapes: Iterable[str]) -> list[threads.Loaded]:
    """All threads, loaded now or found as an earlier run left them."""
    loaded = []
    with app.app_context():
        for shape in shapes:
            for size in sizes:
                at = threads.found(shape, size, f"{shape}-{size}")
                if at is None:
                    began = time.perf_counter()
                    # A deed's thread has grown: a fresh one stands beside it.
                    at = threads.load(shape, size, slug=f"{shape}-{size}" if threads.is_free(f"{shape}-{size}") else f"{shape}-{size}-{secrets.token_hex(3)}")
                    if size >= 100_000:
                        print(f"\rloaded {shape}, {size:,} comments, into {db.engine.dialect.name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
                loaded.append(at)
        threads.settle()
    return loaded


# -- telling


def table(results: Results, sizes: list[int], shapes: list[str]) -> list[str]:
    """One table of ratios: a row for each reading and deed on each database."""
    small, large = sizes[0], sizes[-1]
    lines = [
        f"| database | what | who | {' | '.join(f'{words(size)}' for size in sizes)} | largest : smallest, {', '.join(shapes)} | × floor "
        "| statements | rows | comments shown | kB gz | bytes |",
        "|---|---|---|" + "--:|" * len(sizes) + "---|--:|--:|--:|--:|--:|--:|",
    ]
    for database, name, state in dict.fromkeys(case.row for case in results):
        of = {(case.shape, case.size): taken for case, taken in results.items() if case.row == (database, name, state)}
        plain = shapes[-1]
        floor = results.get(Case(database, plain, large, FLOOR, ""))
        cells = [f"{of[plain, size].median:.2f}" for size in sizes]
        ratios = ", ".join(f"{of[shape, large].median / of[shape, small].median:.2f}" for shape in shapes)
        at_most = max(of.values(), key=lambda taken: taken.rows)
        both = of[plain, small], of[plain, large]
        bytes_ratio = max(of[shape, large].packed / max(1, of[shape, small].packed) for shape in shapes)
        shown = f"{both[0].shown} {both[1].shown}" if both[1].shown else ""
        size_cells = (f"{both[0].packed / 1000:.1f} {both[1].packed / 1000:.1f}", f"{bytes_ratio:.2f}") if both[1].packed > 1000 and name != FLOOR else ("", "")
        times = f"{both[1].median / floor.median:.1f}" if floor and name != FLOOR else ""
        counts = (str(max(taken.statements for taken in of.values())), str(at_most.rows)) if name != FLOOR else ("", "")
        lines.append("| " + " | ".join([database, name, state, *cells, ratios, times, *counts, shown, *size_cells]) + " |")
    return lines


def base_of(results: Results, database: str, shape: str, sizes: list[int]) -> int:
    """The smallest size whose first page is full: a page of fifty comments is no measure for one of a hundred."""
    full = (size for size in sizes if results[Case(database, shape, size, "first page, oldest", f"{OUT}, {ANEW}")].shown >= FULL)
    return next(full, sizes[0])


def judged(results: Results, sizes: list[int], shapes: list[str]) -> list[str]:
    """What a first page of the largest thread costs beside a full one of the smallest: the worst of the orders, by shape."""
    large = sizes[-1]
    lines = [
        "| database | who | " + " | ".join(f"{shape}: time (best), bytes" for shape in shapes) + " | holds |",
        "|---|---|" + "--:|" * len(shapes) + "---|",
    ]
    for database in dict.fromkeys(case.database for case in results):
        for state in (f"{who}, {kind}" for who in (OUT, IN) for kind in (ANEW, KEPT)):
            cells, holds = [], True
            for shape in shapes:
                base = base_of(results, database, shape, sizes)
                pairs = []
                for sort in SORTS:
                    case = Case(database, shape, large, f"first page, {sort}", state)
                    pairs.append((results[case], results[case.at(base)]))
                of_time = max(top.median / low.median for top, low in pairs)
                of_best = max(top.best / low.best for top, low in pairs)
                of_bytes = max(top.packed / low.packed for top, low in pairs)
                holds = holds and min(of_time, of_best) <= MOST_TIME and of_bytes <= MOST_BYTES
                cells.append(f"{of_time:.2f} ({of_best:.2f}), {of_bytes:.2f}")
            lines.append(f"| {database} | {state} | " + " | ".join(cells) + f" | {'yes' if holds else '**no**'} |")
    return lines


def bases(results: Results, sizes: list[int], shapes: list[str]) -> str:
    """Which thread stands for the small one, by shape, and how full the first pages are."""
    database = next(iter(results)).database
    told_of = []
    for shape in shapes:
        base = base_of(results, database, shape, sizes)
        shown = {size: results[Case(database, shape, size, "first page, oldest", f"{OUT}, {ANEW}")].shown for size in (sizes[0], base, sizes[-1])}
        told_of.append(f"{shape} {words(base)} ({', '.join(f'{count} of {words(size)}' for size, count in shown.items())} are on the page)")
    return "; ".join(told_of)


def beside_bare(results: Results, sizes: list[int], shape: str) -> list[str]:
    """The first page of the smallest thread as a multiple of bare Flask answering the same bytes, and its weight."""
    lines = ["| database | first page | × bare Flask | goal | kB gz | goal |", "|---|---|--:|--:|--:|--:|"]
    for database in dict.fromkeys(case.database for case in results):
        floor = results[Case(database, shape, sizes[0], FLOOR, "")].median
        for who, state, most in (*MOST_TIMES_BARE, (OUT, ANEW, None), (IN, ANEW, None)):
            taken = results[Case(database, shape, sizes[0], "first page, oldest", f"{who}, {state}")]
            weight = (f"{taken.packed / 1000:.1f}", f"≤ {MOST_KB}") if state != AGAIN else ("", "")
            lines.append("| " + " | ".join([database, f"{who}, {state}", f"{taken.median / floor:.1f}", f"≤ {most}" if most else "", *weight]) + " |")
    return lines


def words(size: int) -> str:
    return f"{size:,}"


def told(results: Results, heads: dict[str, list[str]], sizes: list[int], shapes: list[str], command: str, rounds: int) -> str:
    """The whole report."""
    machines = [*next(iter(heads.values()))[:2], "; ".join(head[2] for head in heads.values())]
    return "\n".join([
        f"Measured by `{command}`: {rounds} interleaved rounds, medians of CPU milliseconds (the application's and the database's together).",
        "",
        *(f"* {line}" for line in machines),
        "",
        f"### A first page of {words(sizes[-1])} comments beside one of the smallest thread",
        "",
        f"The worst of the four orders. The goal is at most {MOST_TIME} times the time, in the medians or in the least disturbed rounds, and "
        f"{MOST_BYTES} times the bytes. The smallest thread is the smallest whose first page is full (at least {FULL} comments): "
        f"{bases(results, sizes, shapes)}.",
        "",
        *judged(results, sizes, shapes),
        "",
        f"### A first page of {words(sizes[0])} comments beside bare Flask",
        "",
        f"Shape “{shapes[-1]}”.",
        "",
        *beside_bare(results, sizes, shapes[-1]),
        "",
        "### Everything",
        "",
        f"CPU milliseconds by size are those of the shape “{shapes[-1]}”; statements and rows the most of any shape and size; bytes the worst ratio of a shape.",  # noqa: E501
        "",
        *table(results, sizes, shapes),
    ])


def lines_of(results: Results, sizes: list[int], shape: str) -> list[picture.Line]:
    """What the picture shows: few lines that tell the most."""
    chosen = [
        ("first page, drawn anew", "first page, oldest", f"{OUT}, {ANEW}"),
        ("the same for a member, kept", "first page, oldest", f"{IN}, {KEPT}"),
        ("the same for a reader, kept", "first page, oldest", f"{OUT}, {KEPT}"),
        ("a reply posted", "reply to the busiest", ""),
    ]
    made = []
    for database in dict.fromkeys(case.database for case in results):
        for title, name, state in chosen:
            points = [(size, results[Case(database, shape, size, name, state)].median) for size in sizes]
            made.append(picture.Line(title, database, points))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="size of the largest thread")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--databases", default=",".join(DATABASES))
    parser.add_argument("--shapes", default=",".join(threads.SHAPES))
    parser.add_argument("--folder", default="", help="keep the data there for the next run; else it goes")
    parser.add_argument("--document", action="store_true", help="write docs/performance.md and its picture")
    given = parser.parse_args()
    sizes = [size for size in SIZES if size <= given.largest]
    shapes = given.shapes.split(",")
    results: Results = {}
    heads: dict[str, list[str]] = {}
    with folder(given.folder) as place:
        for database in given.databases.split(","):
            with board(database, place) as app:
                bench = Bench(database, app, threads_of(app, sizes, shapes), given.rounds)
                heads[database] = machine(app)
                bench.readings()
                bench.deeds()
                results |= bench.results
    say("")
    command = "make bench-threads" + (f" LARGEST={given.largest}" if given.largest != SIZES[-1] else "")
    report = told(results, heads, sizes, shapes, command, given.rounds)
    print("\r" + report)
    if given.document:
        document.write_part("threads", report + "\n\n![Cost against size](performance-threads.svg)")
        (document.DOCUMENT.parent / "performance-threads.svg").write_text(picture.drawn(lines_of(results, sizes, shapes[-1])), encoding="utf-8")


if __name__ == "__main__":
    main()
