"""How fast and how small a long history is: lists, curves and bytes, with 10,000 sessions of 30 tags.

    python -m tests.benchmarks.history [--sessions 10000] [--filled 200] [--million 1000000] [--rounds 3]

The sessions are made up and stored in a SQLite file of their own. `--filled` of them get 1,000 points for each tag, as
a training writes them; bytes for each point are those by which the file grows. Times are those of the server, by
Django's test client: from the request to the whole answer, no network. With MENTOR_DATABASE_URL the history is put into
that database instead, which must be empty; then no bytes are told.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.benchmarks.stage import folder
from tests.benchmarks.tables import percentile, say, say_table, say_where, verdict

if TYPE_CHECKING:
    from django.test import Client

LIST_MS, CURVES_MS, MILLION_MS = 100.0, 100.0, 150.0
POINTS, TAGS = 1_000, 30
FILTERS: dict[str, dict[str, str]] = {
    "none": {},
    "state=completed": {"state": "completed"},
    "state=lost": {"state": "lost"},
    "state=ended": {"state": "ended"},
    "state=active": {"state": "active"},
    "behavior": {"behavior": "Walker3"},
    "behavior nobody has": {"behavior": "Nothing"},
    "trainer": {"trainer": "trainer 1"},
    "environment": {"environment": "Build 3"},
    "tag": {"tag": "sweep-3"},
    "text of notes": {"text": "entropy"},
    "text of few": {"text": "walker3-12"},
    "text of none": {"text": "nothing like this"},
    "a month": {"created_after": "2024-03-01T00:00:00Z", "created_before": "2024-04-01T00:00:00Z"},
    "trash": {"trash": "true"},
    "behavior and text": {"behavior": "Ball", "text": "plateau", "state": "ended"},
    "far back": {"page": "150"},
}


def prepared(home: Path) -> None:
    """Set Django up as the web process does, on a database of its own with all tables and without rows."""
    os.environ["MENTOR_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "mentor_site.settings"
    import django
    from django.core.management import call_command

    django.setup()
    import mentor_site.asgi  # noqa: F401 - it tells Python how to look for garbage

    call_command("migrate", verbosity=0)


def database_bytes() -> int | None:
    """Return the size of the database file once what is free is given back; None where it is no file."""
    from django.db import connection

    if connection.vendor != "sqlite":
        return None
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(connection.settings_dict["NAME"]).stat().st_size


@dataclass(frozen=True)
class Took:
    """What one answer took, in ms: by the clock, and of a core."""

    clock: float
    core: float


def took(ask: Callable[[], object], rounds: int) -> list[Took]:
    """Return what some calls took, without the first, which finds nothing at hand."""
    ask()
    found = []
    for _ in range(rounds):
        clock, core = time.perf_counter(), time.process_time()
        ask()
        found.append(Took(1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - core)))
    return found


def getting(client: Client, path: str) -> Callable[[], object]:
    def get() -> None:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.content[:200])

    return get


def row(name: str, found: list[Took], target: float) -> list[object]:
    clock = [one.clock for one in found]
    late, core = percentile(clock, 0.95), percentile([one.core for one in found], 0.95)
    says = f"p95 < {target:.0f}: {verdict(met=late < target)}"
    return [name, len(found), percentile(clock, 0.5), late, max(clock), core, says]


HEAD = ["what", "count", "p50 ms", "p95 ms", "max ms", "p95 ms of a core", "target"]


def lists(client: Client, rounds: int) -> list[list[object]]:
    """Ask the list page and the API for every filter in every order."""
    from sessions.selectors.history import ORDERS

    rows: list[list[object]] = []
    everything: dict[str, list[Took]] = {}
    for path in ("/sessions/", "/api/sessions/"):
        everything[path] = []
        for name, query in FILTERS.items():
            found: list[Took] = []
            for order in ("", *ORDERS):
                asked = {**query, "order": order} if order else query
                found += took(getting(client, f"{path}?{urlencode(asked)}"), rounds)
            everything[path] += found
            rows.append(row(f"{path} {name}", found, LIST_MS))
    return rows + [row(f"{path} all", found, LIST_MS) for path, found in everything.items()]


def sizes(attempts: list[int], empty: int | None) -> list[list[object]]:
    """Store the points of these attempts, then compact them; say bytes and pace of both."""
    from sessions.services import compaction
    from tests.benchmarks.past import SERIES, write

    start = time.perf_counter()
    points = write(attempts, SERIES, POINTS, at_once=250)
    written, loose = time.perf_counter() - start, database_bytes()
    start = time.perf_counter()
    assert compaction.compact(seconds=float("inf"))
    compacted, compact = time.perf_counter() - start, database_bytes()
    return [
        ["as they come, 250 at a time", f"{points:,}", _each(loose, empty, points), points / written / 1e6],
        ["compacted", f"{points:,}", _each(compact, empty, points), points / compacted / 1e6],
    ]


def _each(after: int | None, before: int | None, points: int) -> object:
    return (after - before) / points if after is not None and before is not None else ""


def curves(client: Client, filled: list[int], rounds: int) -> Iterable[list[object]]:
    """Twenty series of 1,000 points: of one session, and of twenty."""
    from sessions.models import Attempt
    from tests.benchmarks.past import SERIES

    names = list(Attempt.objects.filter(pk__in=filled[:20]).values_list("session__run_id", flat=True))
    many = urlencode([("tag", tag) for tag in SERIES[:20]])
    for how, path in (
        ("20 series of a session", f"/api/sessions/{names[0]}/metrics/?behavior=Bench&points=500&{many}"),
        (
            "1 series of 20 sessions",
            f"/api/metrics/?sessions={','.join(names)}&behavior=Bench&points=500&tag={SERIES[0]}",
        ),
    ):
        yield row(f"{how}, thinned to 500", took(getting(client, path), 5 * rounds), CURVES_MS)


def million(client: Client, attempts: list[int], count: int, rounds: int) -> Iterable[list[object]]:
    """One long series, as it came and compacted."""
    from sessions.models import Attempt, Series
    from sessions.services import compaction
    from tests.benchmarks.past import REWARD, write

    for attempt, compact in zip(attempts, (False, True), strict=True):
        write([attempt], [REWARD], count, at_once=250)
        if compact:
            compaction.compact_series(Series.objects.get(attempt=attempt, behavior="Bench").pk)
        run_id = Attempt.objects.get(pk=attempt).session.run_id
        how = f"{count:,} points, {'compacted' if compact else 'as they came'}, thinned to 1,000"
        for path in (f"/api/sessions/{run_id}/metrics/?", f"/api/metrics/?sessions={run_id}&"):
            ask = getting(client, f"{path}behavior=Bench&points=1000&tag={urlencode({'': REWARD})[1:]}")
            yield row(f"{path.split('?')[0].replace(run_id, '…')} {how}", took(ask, 5 * rounds), MILLION_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--filled", type=int, default=200, help="how many sessions get points")
    parser.add_argument("--million", type=int, default=1_000_000, help="points of the one long series")
    parser.add_argument("--rounds", type=int, default=3, help="how often each filter in each order is asked for")
    options = parser.parse_args()
    say_where()
    with folder() as place:
        prepared(place)
        measure(options)


def measure(options: argparse.Namespace) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    from tests.benchmarks.past import fill

    owners = [User.objects.create_user(name, is_superuser=True) for name in ("ada", "ben", "cyd")]
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(owners[0], backend="django.contrib.auth.backends.ModelBackend")
    start = time.perf_counter()
    attempts = fill(options.sessions, tags=TAGS, owners=owners)
    say(f"{options.sessions:,} sessions made in {time.perf_counter() - start:.0f} s\n")
    filled, long = attempts[1 : options.filled + 1], attempts[-2:]
    say_table(["points", "count", "bytes each", "millions a second"], sizes(filled, database_bytes()))
    say_table(HEAD, list(curves(client, filled, options.rounds)))
    say_table(HEAD, list(million(client, long, options.million, options.rounds)))
    say_table(HEAD, lists(client, options.rounds))


if __name__ == "__main__":
    main()
