from __future__ import annotations

from sessions.runtime.patience import Patience
from sessions.runtime.records import Request

GRACE, UNSEEN = 180.0, 10.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def decisions(seconds: list[float], *, stop: Request | None, seen: bool = False) -> list[str]:
    clock = Clock()
    patience = Patience(GRACE, UNSEEN, clock)
    found = []
    for moment in seconds:
        clock.now = 1000.0 + moment
        found.append(patience.due(stop=stop, kill=False, seen=seen))
    return found


def test_nothing_is_due_while_nobody_asks() -> None:
    assert decisions([0, 1000], stop=None) == ["", ""]


def test_an_unseen_stop_is_interrupted_after_ten_seconds_and_killed_after_the_grace() -> None:
    assert decisions([0, 9.9, 10, 179, 180], stop=Request(0, "ada")) == [
        "",
        "",
        "interrupt",
        "interrupt",
        "kill",
    ]


def test_a_stop_that_was_seen_only_has_the_deadline() -> None:
    assert decisions([0, 10, 179.9, 180], stop=Request(0, "ada"), seen=True) == ["", "", "", "kill"]


def test_the_request_may_bring_its_own_grace_and_none_at_all() -> None:
    assert decisions([0, 30], stop=Request(0, "ada", 30.0), seen=True) == ["", "kill"]
    assert decisions([0], stop=Request(0, "ada", 0.0)) == ["kill"]


def test_the_grace_counts_from_the_look_and_not_from_the_clock_of_the_request() -> None:
    assert decisions([0, 100], stop=Request(at=-1e9, by="a machine with another clock"), seen=True) == [
        "",
        "",
    ]


def test_a_kill_waits_for_nothing() -> None:
    assert Patience(GRACE, UNSEEN, Clock()).due(stop=None, kill=True, seen=False) == "kill"
