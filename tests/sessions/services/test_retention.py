"""The rules of retention kept: told beforehand, off by default, each action an event, and nothing kept is touched."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from sessions.domain.states import State
from sessions.errors import Conflict, NotAllowed
from sessions.models import BehaviorProgress, Removal, RetentionPolicy, SessionEvent, TrainingSession
from sessions.services import chores, retention, upkeep
from sessions.supervisor import chores as supervising
from tests.factories import make_session

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(autouse=True)
def nothing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "async_task", lambda task: None)


def old(owner: User, run_id: str, *, days: float, size: int = 1000, **columns: object) -> TrainingSession:
    session = make_session(owner=owner, run_id=run_id, state=State.STOPPED)
    ended = timezone.now() - timedelta(days=days)
    TrainingSession.objects.filter(pk=session.pk).update(ended_at=ended, disk_bytes=size, **columns)
    return session


def limits(ada: User, **columns: object) -> RetentionPolicy:
    return retention.change({"enabled": True, **columns}, by=ada)


def fates(asked: retention.RetentionPlan) -> dict[str, str]:
    return {one.run_id: one.action for one in asked.actions}


def test_nothing_happens_until_somebody_says_so(ada: User) -> None:
    old(ada, "ancient", days=5000)
    assert not retention.is_due()
    upkeep.work()
    with pytest.raises(Conflict, match="off"):
        retention.run_now(by=ada, seconds=5)
    assert TrainingSession.objects.get().trashed_at is None


def test_a_dry_run_says_what_would_go_and_changes_nothing(ada: User) -> None:
    old(ada, "old", days=40)
    old(ada, "older", days=80)
    old(ada, "tagged", days=80, tags=["thesis"])
    old(ada, "imported", days=80, origin="imported")
    best = old(ada, "best", days=80)
    BehaviorProgress.objects.filter(session=best).update(best_reward=9.0)
    make_session(owner=ada, run_id="queued")
    before = list(TrainingSession.objects.order_by("pk").values())
    asked = retention.plan(limits(ada, archive_days=30, trash_days=60))
    assert fates(asked) == {"older": "trash", "old": "archive"}
    assert (asked.total, asked.after, asked.frees_later, asked.frees_now) == (5000, 4000, 1000, 0)
    assert asked.kept == {
        "It is tagged.": 1, "It was imported; its files are not MENTOR's.": 1, "Among the best of Ball.": 1,
        "It has not ended.": 1,
    }  # fmt: skip
    assert list(TrainingSession.objects.order_by("pk").values()) == before


def test_what_another_session_waits_for_is_kept(ada: User) -> None:
    old(ada, "first", days=80)
    old(ada, "source", days=80)
    make_session(owner=ada, run_id="second", start_after="first")
    heir = make_session(owner=ada, run_id="heir")
    TrainingSession.objects.filter(pk=heir.pk).update(options={"initialize_from": "/results/source"})
    assert fates(retention.plan(limits(ada, trash_days=1))) == {}


def test_it_is_carried_out_once_a_day_by_the_worker(ada: User) -> None:
    limits(ada, trash_days=30, undo_days=7)
    old(ada, "old", days=40)
    assert upkeep.work()
    session = TrainingSession.objects.get()
    assert session.trashed_at is not None
    event = SessionEvent.objects.latest("pk")
    assert (event.who, event.why) == ("retention", "Moved to the trash: Ended 40 days ago.")
    assert not retention.is_due()
    TrainingSession.objects.update(trashed_at=timezone.now() - timedelta(days=8))
    RetentionPolicy.objects.update(ran_at=timezone.now() - timedelta(days=2))
    while not upkeep.work():
        pass
    assert not TrainingSession.objects.exists()
    removal = Removal.objects.get()
    assert (removal.who, removal.why) == ("retention", "In the trash for 8 days.")


def test_too_much_sends_the_oldest_to_the_trash(ada: User) -> None:
    for number in range(4):
        old(ada, f"s{number}", days=10 - number, size=1_000_000_000)
    stored = limits(ada, most_gb=2.5)
    asked = retention.run_now(by=ada, seconds=5)
    assert fates(asked) == {"s0": "trash", "s1": "trash"}
    assert retention.plan(stored).actions == []
    assert SessionEvent.objects.latest("pk").who == "ada (retention)"


def test_sizes_are_measured_before_anything_is_decided(ada: User, home: Path) -> None:
    session = old(ada, "ball", days=1)
    TrainingSession.objects.update(disk_bytes=None)
    console = home / "runs" / "ball" / "attempts" / "1" / "console.log"
    console.parent.mkdir(parents=True)
    console.write_bytes(b"x" * 5000)
    assert retention.plan(retention.policy(), measure_seconds=-1.0).unmeasured == 1
    assert retention.plan(retention.policy(), measure_seconds=5.0).total >= 5000
    session.refresh_from_db()
    assert session.disk_bytes is not None


def test_only_who_may_delete_changes_the_rules_or_runs_them(cyd: User, ben: User) -> None:
    for user in (cyd, ben):
        with pytest.raises(NotAllowed):
            retention.change({"enabled": True}, by=user)
        with pytest.raises(NotAllowed):
            retention.run_now(by=user, seconds=1)


def test_the_command_tells_and_does(ada: User) -> None:
    old(ada, "old", days=40)
    limits(ada, trash_days=30, enabled=False)
    said = StringIO()
    call_command("retention", "--dry-run", stdout=said)
    assert "old: Ended 40 days ago." in said.getvalue()
    assert "1,000 when the trash is emptied" in said.getvalue()
    assert TrainingSession.objects.get().trashed_at is None
    with pytest.raises(CommandError, match="off"):
        call_command("retention")
    limits(ada)
    call_command("retention", stdout=StringIO())
    assert TrainingSession.objects.get().trashed_at is not None


def test_the_supervisor_asks_for_upkeep_while_there_is_some_and_nothing_else_waits(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(chores, "async_task", asked.append)
    looking = supervising.Chores()
    looking.tick(0.0)
    assert asked == []
    old(ada, "ball", days=1, chore="pack")
    looking.tick(1.0)
    assert asked == [], "not yet time for another look"
    looking.tick(6.0)
    assert asked == [chores.UPKEEP_TASK]
    monkeypatch.setattr(supervising, "get_broker", lambda: type("Busy", (), {"queue_size": lambda self: 3})())
    looking.tick(12.0)
    assert len(asked) == 1
