"""Adopted runs that go on: new bytes, new event files, files that ML-Agents writes at its end, silence."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import transaction
from django.db.models import F, Max

from sessions.domain.numbers import finite
from sessions.domain.results_facts import Traces, judge, max_steps_of, read_timers
from sessions.domain.results_layout import CONFIGURATION, TIMERS, EventLog, Family, FoundRun, begun, starts
from sessions.domain.states import ENDED, State, values
from sessions.domain.yaml_tree import MAX_BYTES
from sessions.metrics.codec import Points
from sessions.metrics.events import Batch, read_events
from sessions.metrics.run_reading import MOST_SERIES, Limit, LogReading, fingerprint
from sessions.models import Attempt, BehaviorProgress, EventFile, ImportedRun, Series, TrainingSession
from sessions.runtime.files import read_regular
from sessions.selectors.points import points_between
from sessions.selectors.results_tree import Walk
from sessions.services import artifacts
from sessions.services.adopting import (
    TIMERS_BYTES,
    event_file,
    moment,
    new_attempt,
    quiet_seconds,
    reward_in,
)
from sessions.services.alarms import raise_alarm
from sessions.services.event_batches import order_of, store_batch
from sessions.services.progress import advance
from sessions.services.transitions import SUPERVISOR, announce_end, record, touch

BATCH_BYTES = 4 * 1024 * 1024
SHORTER = "{} became shorter than what was read of it; what it told before is kept."
AGAIN = "It is written to again. It is only watched: MENTOR has not started it."


@dataclass(frozen=True)
class Look:
    """A known run as it lies on the disk now; paths of `run` are below `root`."""

    found: ImportedRun
    run: FoundRun
    root: Path

    @property
    def session(self) -> TrainingSession:
        """The session it became; only runs that are in the history are looked at."""
        assert self.found.session is not None  # noqa: S101 - for the type checker
        return self.found.session


def look_at(found: ImportedRun) -> Look | None:
    """Look at the folder of an adopted run; None when it is not there or holds no run any more."""
    family = Family(found.format) if found.format in {one.value for one in Family} else Family.MLAGENTS
    folder = Path(found.folder)
    runs = Walk(folder, family=family).runs_at_the_top()
    same = [run for run in runs if run.name == found.name] or (runs if found.format != "summaries" else [])
    return Look(found, same[0], folder) if same else None


def follow(found: ImportedRun, *, until: float = float("inf")) -> None:
    """Store what is new of an adopted run that trains, or bring it to its end; `until` is a monotonic time."""
    look = look_at(found)
    if look is not None:
        refresh(look, until=until)
    elif found.session_id is not None:
        settle(found.session_id, None)


def refresh(look: Look, *, until: float = float("inf")) -> bool:
    """Store what is new of an adopted run; return whether that is all. `until` is a monotonic time in seconds.

    Safe to be run by several at once: a position moves only from where its reader started.
    """
    register(look)
    done = catch_up(look, until=until)
    if look.found.stamp != look.run.stamp and look.run.keeps_to_itself:
        store_files(look)
    if done:
        settle(look.session.pk, look)
        ImportedRun.objects.filter(pk=look.found.pk).update(stamp=look.run.stamp)
        look.found.stamp = look.run.stamp
    return done


def register(look: Look) -> None:
    """Store event files that are new, as a part of their attempt, or as another one when another process wrote them."""
    rows = EventFile.objects.filter(attempt__session_id=look.session.pk).select_related("attempt__session")
    known = {row.path: row for row in rows}
    if all(_path(look, log) in known for log in look.run.logs):
        return
    behaviors = {row.path.rpartition("/")[0]: row.behavior for row in known.values()}
    begins_anew = bool(known) and not any(_path(look, log) in known for log in look.run.logs)
    with transaction.atomic():
        for start in starts(look.run.logs):
            fresh = [log for log in start if _path(look, log) not in known]
            attempt = next((known[_path(look, log)].attempt for log in start if _path(look, log) in known), None)
            if fresh:
                attempt = attempt or _further_attempt(look, start, force=begins_anew)
                begins_anew = False
                EventFile.objects.bulk_create(
                    (_row(look, log, attempt, behaviors) for log in fresh), ignore_conflicts=True
                )


def _path(look: Look, log: EventLog) -> str:
    return log.file.path.relative_to(look.run.results).as_posix()


def _row(look: Look, log: EventLog, attempt: Attempt, behaviors: Mapping[str, str]) -> EventFile:
    behavior = behaviors.get(_path(look, log).rpartition("/")[0], log.behavior)
    one = EventLog(log.file, behavior)
    return event_file(LogReading(one, 0, fingerprint(look.root / log.file.path)), attempt, look.run)


def _further_attempt(look: Look, start: list[EventLog], *, force: bool) -> Attempt:
    """The attempt of a new start; where nothing of earlier ones is left, their curves do not belong to it."""
    session = look.session
    last = session.attempts.aggregate(last=Max("number"))["last"] or 0
    written = max(log.file.modified_ns for log in start) / 1e9
    unfinished = session.attempts.exclude(state__in=values(ENDED))
    unfinished.update(state=State.STOPPED.value, ended_at=F("progressed_at"))
    began = min(begun(log.file.name) for log in start) or written
    attempt = new_attempt(
        session, last + 1, State.STOPPED, results=_results(session), began=began, written=written, force=force
    )
    attempt.save()
    return attempt


def _results(session: TrainingSession) -> Path:
    latest = session.attempts.order_by("-number").select_related("session").first()
    return latest.results if latest else Path()


def catch_up(look: Look, *, until: float = float("inf")) -> bool:
    """Store the new records of every event file; return whether all of them are stored."""
    sizes = {_path(look, log): log.file for log in look.run.logs}
    done = True
    rows = EventFile.objects.filter(attempt__session_id=look.session.pk, path__in=list(sizes))
    limit = None
    for row in rows.select_related("attempt").order_by("attempt__number", "pk"):
        file = sizes[row.path]
        if file.size < row.offset:
            raise_alarm(row.attempt, SHORTER.format(row.path))
        if file.size > row.offset:
            limit = limit or _limit_of(look.session.pk)
            done = _read_on(row, look.root / file.path, file.size, limit, until=until) and done
    return done


def _limit_of(session_id: int) -> Limit:
    known = Series.objects.filter(attempt__session_id=session_id).values_list("attempt_id", "behavior", "tag")
    return Limit({((attempt, behavior), tag) for attempt, behavior, tag in known})


def _read_on(row: EventFile, path: Path, size: int, limit: Limit, *, until: float) -> bool:
    while True:
        batch = read_events(path, row.offset, limit_bytes=BATCH_BYTES, order=order_of(row))
        if batch.next_offset == row.offset:
            return True
        if not _store(row, batch, limit, size=size):
            return True  # somebody else reads it
        if time.monotonic() > until:
            return False


def _store(row: EventFile, batch: Batch, limit: Limit, *, size: int = 0) -> bool:
    kept = limit.within((row.attempt_id, row.behavior), batch.points)
    end = max(batch.next_offset, size) if limit.is_hopeless else batch.next_offset
    with transaction.atomic():
        if not store_batch(row, replace(batch, points=kept, next_offset=end), session_id=row.attempt.session_id):
            return False
        _advance(row, kept)
    if limit.left_out:
        raise_alarm(row.attempt, f"It has more than {MOST_SERIES:,} series; those beyond are in its files only.")
    return True


def _advance(row: EventFile, new: Mapping[str, Points]) -> None:
    session_id = row.attempt.session_id
    filled = {tag: one for tag, one in new.items() if len(one)}
    if not filled:
        return touch(session_id)
    before = BehaviorProgress.objects.filter(session_id=session_id, name=row.behavior).first()
    step = max(int(one.steps[-1]) for one in filled.values())
    latest = max(float(one.wall_times[-1]) for one in filled.values())
    elapsed = latest - row.attempt.started_at.timestamp() if row.attempt.started_at else None
    advance(session_id, row.behavior, step)
    told = {"mean_reward": reward_in({tag: float(one.values[-1]) for tag, one in filled.items()})}
    columns = {name: value for name, value in told.items() if value is not None} | {"elapsed_seconds": finite(elapsed)}
    BehaviorProgress.objects.filter(session_id=session_id, name=row.behavior).update(**columns)
    Attempt.objects.filter(pk=row.attempt_id).update(progressed_at=moment(latest))
    pace = _pace(before, step, elapsed)
    return touch(session_id, **({} if pace is None else {"steps_per_second": pace}))


def _pace(before: BehaviorProgress | None, step: int, elapsed: float | None) -> float | None:
    """Steps per second since the last look, of a session whose steps are those of one behavior."""
    if before is None or before.elapsed_seconds is None or elapsed is None or elapsed <= before.elapsed_seconds:
        return None
    if BehaviorProgress.objects.filter(session_id=before.session_id).count() > 1:
        return None
    return max(0.0, (step - before.step) / (elapsed - before.elapsed_seconds))


def store_files(look: Look) -> None:
    """Bring configuration, goals, version and the list of models up to date."""
    session = look.session
    attempt = session.attempts.order_by("-number").select_related("session").first()
    configuration = _content(look, CONFIGURATION, MAX_BYTES)
    if configuration and configuration != bytes(session.config_used):
        columns = {"config_given": configuration, "config_used": configuration, "config_name": CONFIGURATION}
        TrainingSession.objects.filter(pk=session.pk).update(**columns)
        for behavior, goal in max_steps_of(configuration).items():
            BehaviorProgress.objects.filter(session=session, name=behavior).update(max_steps=goal)
    timers = read_timers(_content(look, TIMERS, TIMERS_BYTES))
    if timers.version:
        ImportedRun.objects.filter(pk=look.found.pk).update(version=timers.version)
    if attempt is not None:
        artifacts.store(attempt, attempt.results, hashed=False)
        for behavior, step in artifacts.final_steps(attempt.results).items():
            if BehaviorProgress.objects.filter(session=session, name=behavior).exists():
                advance(session.pk, behavior, step)


def _content(look: Look, name: str, most: int) -> bytes:
    file = look.run.other(name)
    data = read_regular(look.root / file.path) if file is not None else None
    return data if data is not None and len(data) <= most else b""


def settle(session_id: int, look: Look | None) -> None:
    """Bring the state of an adopted session in step with what can be seen of it; `look` is None when nothing can."""
    attempt = Attempt.objects.filter(session_id=session_id).order_by("-number").select_related("session").first()
    if attempt is None or attempt.session.origin != "imported" or attempt.session.trashed_at is not None:
        return
    behaviors = list(BehaviorProgress.objects.filter(session_id=session_id))
    written = attempt.progressed_at.timestamp() if attempt.progressed_at else 0.0
    state, why = judge(
        Traces(
            fresh=_is_fresh(attempt, look, written),
            ended_well=look is not None and look.run.ended_well,
            tells_its_end=look is not None and look.run.tells_its_end,
            steps={one.name: one.step for one in behaviors},
            max_steps={one.name: one.max_steps for one in behaviors if one.max_steps is not None},
            there=look is not None,
        )
    )
    if look is None and State(attempt.state) in ENDED:
        return  # what has ended stays as it was, wherever its disk is now
    if state.value != attempt.state:
        _put(attempt, state, why, ended=min(written, look.run.last_written) if look else written)


def _is_fresh(attempt: Attempt, look: Look | None, written: float) -> bool:
    now = time.time()
    silent = now - max(written, look.run.last_written if look else 0.0)
    if silent < quiet_seconds(0.0, 0.0):
        # What was copied has new files and old events.
        return look is None or now - written < quiet_seconds(0.0, 0.0) or not _has_points(attempt)
    return silent < quiet_seconds(*_last_times(attempt))


def _has_points(attempt: Attempt) -> bool:
    return Series.objects.filter(attempt=attempt).exists()


def _last_times(attempt: Attempt) -> tuple[float, float]:
    """The times of the last two points of a series, in seconds since the epoch."""
    series = Series.objects.filter(attempt=attempt, count__gt=1).order_by("-last_step").first()
    times = list(points_between(series, series.count - 2).wall_times) if series else []
    return (float(times[0]), float(times[1])) if len(times) == 2 else (0.0, 0.0)


def _put(attempt: Attempt, state: State, why: str, *, ended: float) -> None:
    """Store another state of a session that is only watched: it may also go back from an end to training."""
    before = State(attempt.state)
    over = state in ENDED
    why = why if over or before not in ENDED else AGAIN
    with transaction.atomic():
        at = moment(ended) if over else None
        rows = Attempt.objects.filter(pk=attempt.pk, state=before.value)
        if not rows.update(state=state.value, ended_at=at):
            return
        columns: dict[str, object] = {"state": state.value, "explanation": why, "ended_at": at}
        touch(attempt.session_id, **columns, **({"steps_per_second": None} if over else {}))
        record(attempt.session_id, attempt.pk, before, state, who=SUPERVISOR, why=why)
        if over and before is State.RUNNING:
            announce_end(attempt.session_id)
