"""Runs that somebody else trained, stored as sessions: a run wholly, with what was read of it, or not at all."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from sessions.domain.command import numbered, run_id_like
from sessions.domain.numbers import finite
from sessions.domain.results_facts import TimerFacts, Traces, judge, max_steps_of, read_timers
from sessions.domain.results_layout import (
    CONFIGURATION,
    FORMATS,
    REWARD_TAGS,
    TIMERS,
    EventLog,
    Family,
    FoundRun,
    begun,
    shown,
    starts,
    writer_of,
)
from sessions.domain.states import ENDED, State
from sessions.domain.yaml_tree import MAX_BYTES
from sessions.metrics.codec import Points
from sessions.metrics.run_reading import MOST_SERIES, LogReading, RunReading, is_the_same, read_run
from sessions.models import (
    Attempt,
    BehaviorProgress,
    EventFile,
    Import,
    ImportedRun,
    SessionEvent,
    Trainer,
    TrainingSession,
)
from sessions.runtime.files import read_regular
from sessions.runtime.rundir import RunDirectory
from sessions.services import artifacts, distributions, points
from sessions.services.copying import move_in
from sessions.services.transitions import record

TAG = "imported"
# A training that has written nothing for this long has ended, unless it is known to write more seldom.
QUIET_SECONDS = 300.0
LONGEST_QUIET_SECONDS = 3600.0
PATIENCE = 4.0
TIMERS_BYTES = 1024 * 1024
NAME_CHARACTERS = 255
# Names are looked for so many at a time: databases limit the values of a query.
NAMES_AT_ONCE = 200
Key = tuple[int, str, str]


@dataclass
class Draft:
    """A run that was read and is to be stored; its paths are below `root`, and `place` is its own folder.

    One that was copied was found elsewhere, and is not followed.
    """

    run: FoundRun
    root: Path
    reading: RunReading
    configuration: bytes = b""
    timers: TimerFacts = field(default_factory=TimerFacts)
    final_steps: Mapping[str, int] = field(default_factory=dict)
    copied_from: Path | None = None

    @property
    def followed(self) -> bool:
        return self.copied_from is None

    @property
    def place(self) -> Path:
        return self.root / self.run.results

    @property
    def series(self) -> Iterator[tuple[Key, Points]]:
        """The points that were read, in the order in which they were written."""
        for part in self.reading.rounds:
            yield from part.items()


def read_draft(run: FoundRun, root: Path, *, copied_from: Path | None = None) -> Draft:
    """Read what is to be stored of a run."""
    draft = Draft(run, root, read_run(root, starts(run.logs)), copied_from=copied_from)
    if run.family is Family.MLAGENTS:
        configuration, timers = run.other(CONFIGURATION), run.other(TIMERS)
        draft.configuration = _content(root, configuration.path.as_posix() if configuration else "", MAX_BYTES)
        draft.timers = read_timers(_content(root, timers.path.as_posix() if timers else "", TIMERS_BYTES))
        draft.final_steps = artifacts.final_steps(draft.place)
    return draft


def _content(root: Path, path: str, most: int) -> bytes:
    data = read_regular(root / path) if path else None
    return data if data is not None and len(data) <= most else b""


def known_as(run: FoundRun, root: Path) -> TrainingSession | None:
    """Return the session that has this run's event files, wherever they were found; None when it is new."""
    logs = {log.file.name[:NAME_CHARACTERS]: root / log.file.path for log in run.logs if log.file.size}
    names = list(logs)
    for first in range(0, len(names), NAMES_AT_ONCE):
        rows = EventFile.objects.filter(name__in=names[first : first + NAMES_AT_ONCE])
        for row in rows.select_related("attempt__session").order_by("pk"):
            # MENTOR's own trainings have no fingerprint: the name has time, host and process.
            if is_the_same(logs[row.name], row.head) if row.head else writer_of(row.name):
                return row.attempt.session
    return None


def store(drafts: Sequence[Draft], source: Import) -> list[TrainingSession]:
    """Store runs that are new, all of them or none, and return their sessions."""
    with transaction.atomic():
        stored = [_store_one(draft, source) for draft in drafts]
        for number in range(max((len(draft.reading.rounds) for draft in drafts), default=0)):
            points.append_columns(
                {
                    (attempts[start].pk, behavior, tag): new
                    for draft, (_, attempts) in zip(drafts, stored, strict=True)
                    for (start, behavior, tag), new in _round(draft, number).items()
                }
            )
        for draft, (_, attempts) in zip(drafts, stored, strict=True):
            for (start, behavior), histograms in draft.reading.histograms.items():
                distributions.keep_histograms(attempts[start].pk, behavior, histograms)
            for (start, behavior), texts in draft.reading.texts.items():
                distributions.keep_texts(attempts[start].pk, behavior, texts)
    return [session for session, _ in stored]


def _round(draft: Draft, number: int) -> Mapping[Key, Points]:
    return draft.reading.rounds[number] if number < len(draft.reading.rounds) else {}


def _store_one(draft: Draft, source: Import) -> tuple[TrainingSession, list[Attempt]]:
    run = draft.run
    progress = behaviors_of(draft)
    state, why = judge(traces_of(draft, progress))
    session = _create_session(draft, source, state, why)
    results = draft.place if draft.followed else move_in(draft.place, session.run_id)
    attempts = _create_attempts(draft, session, state, results)
    for one in progress:
        one.session = session
    BehaviorProgress.objects.bulk_create(progress)
    EventFile.objects.bulk_create(event_file(one, attempts[one.start], run) for one in draft.reading.logs)
    ImportedRun.objects.create(
        session=session,
        source=source if draft.followed else None,
        folder=str(draft.copied_from or draft.place),
        name=run.name[:NAME_CHARACTERS],
        format=run.format,
        version=draft.timers.version,
        # Read on by the next look when there was too much at once.
        stamp=run.stamp if is_read(draft.reading) else "",
    )
    by = source.asked_by.get_username() if source.asked_by else TAG
    SessionEvent.objects.create(
        session=session,
        attempt=attempts[-1],
        to_state=state.value,
        who=by,
        why=f"Imported from {draft.copied_from or draft.place}. {why}",
    )
    if run.has_models:
        artifacts.store(attempts[-1], attempts[-1].results, hashed=False)
    return session, attempts


def is_read(reading: RunReading) -> bool:
    """Tell whether every event file was read as far as it went."""
    return all(one.offset >= one.log.file.size for one in reading.logs) or not reading.rounds


def _create_session(draft: Draft, source: Import, state: State, why: str) -> TrainingSession:
    run = draft.run
    written = last_written(draft, draft.reading.starts - 1)
    began = first_begun(run.logs) or written
    session = TrainingSession.objects.create(
        run_id=free_run_id(run.name),
        name=shown(run.name)[:200],
        tags=[TAG, *(tag for tag in source.tags if tag != TAG)],
        owner=source.asked_by,
        origin="imported",
        state=state.value,
        explanation=why,
        trainer=trainer_of(run.family),
        config_name=CONFIGURATION if draft.configuration else "",
        config_given=draft.configuration,
        config_used=draft.configuration,
        started_at=moment(began),
        ended_at=None if state is State.RUNNING else moment(written),
    )
    TrainingSession.objects.filter(pk=session.pk).update(created_at=moment(began))
    return session


def _create_attempts(draft: Draft, session: TrainingSession, state: State, results: Path) -> list[Attempt]:
    count = draft.reading.starts
    attempts = []
    for number in range(count):
        logs = [one for one in draft.reading.logs if one.start == number]
        last = number == count - 1
        now = state if last else State.STOPPED
        written = last_written(draft, number)
        attempts.append(
            new_attempt(
                session,
                number + 1,
                now,
                results=results,
                began=min((begun(one.log.file.name) for one in logs), default=0) or written,
                written=written,
                command=draft.timers.command if last else (),
                alarm=alarm_of(draft) if last else "",
            )
        )
    return Attempt.objects.bulk_create(attempts)


def new_attempt(
    session: TrainingSession,
    number: int,
    state: State,
    *,
    results: Path,
    began: float,
    written: float,
    command: Sequence[str] = (),
    alarm: str = "",
    force: bool = False,
) -> Attempt:
    """Return an attempt that MENTOR has not started; it is not stored yet.

    Times are seconds since the epoch; `written` is when its last point was.
    """
    return Attempt(
        session=session,
        number=number,
        state=state.value,
        cookie=secrets.token_hex(16),
        resume=number > 1 and not force,
        force=force,
        command=list(command),
        results_dir=str(results),
        started_at=moment(began),
        ended_at=moment(written) if state in ENDED else None,
        progressed_at=moment(written),
        alarm=alarm,
    )


def alarm_of(draft: Draft) -> str:
    """Return what a person should know of what was left out; empty when nothing was."""
    said = []
    if draft.reading.left_out:
        said.append(f"It has more than {MOST_SERIES:,} series; those beyond are in its files only.")
    if draft.run.cut:
        said.append("Its folders hold more files than are looked into.")
    if skipped := sum(one.skipped for one in draft.reading.logs):
        said.append(f"{skipped:,} damaged records of its event files were passed over.")
    return " ".join(said)


def event_file(one: LogReading, attempt: Attempt, run: FoundRun) -> EventFile:
    """Return the row of an event file, read as far as it was; it is not stored yet."""
    return EventFile(
        attempt=attempt,
        path=one.log.file.path.relative_to(run.results).as_posix(),
        behavior=one.log.behavior,
        offset=one.offset,
        skipped=one.skipped,
        version=one.order.version,
        last_step=one.order.last_step,
        name=one.log.file.name[:NAME_CHARACTERS],
        head=one.head,
    )


def behaviors_of(draft: Draft) -> list[BehaviorProgress]:
    """Return where each behavior stands; not stored yet."""
    steps: dict[str, int] = {}
    times: dict[str, float] = {}
    rewards: dict[str, dict[str, float]] = {}
    for (_, behavior, tag), new in draft.series:
        if len(new):
            steps[behavior] = max(steps.get(behavior, 0), int(new.steps[-1]))
            times[behavior] = float(new.wall_times[-1])
            rewards.setdefault(behavior, {})[tag] = float(new.values[-1])
    last = max((one.start for one in draft.reading.logs), default=0)
    began = first_begun(one.log for one in draft.reading.logs if one.start == last)
    goals = max_steps_of(draft.configuration) if draft.configuration else {}
    return [
        BehaviorProgress(
            name=name,
            step=max(steps.get(name, 0), draft.final_steps.get(name, 0)),
            max_steps=goals.get(name),
            mean_reward=reward_in(rewards.get(name, {})),
            elapsed_seconds=finite(times[name] - began) if name in times else None,
            seen=True,
        )
        for name in draft.run.behaviors
    ]


def reward_in(values: Mapping[str, float]) -> float | None:
    """Return the reward among the last values of a behavior, by tag; None when there is none."""
    return next((finite(values[tag]) for tag in REWARD_TAGS if tag in values), None)


def traces_of(draft: Draft, progress: Iterable[BehaviorProgress]) -> Traces:
    """Return what can be seen of a run that was read just now."""
    run, standing = draft.run, list(progress)
    return Traces(
        fresh=draft.followed and is_fresh(draft),
        ended_well=run.ended_well,
        tells_its_end=run.tells_its_end,
        steps={one.name: one.step for one in standing},
        max_steps={one.name: one.max_steps for one in standing if one.max_steps is not None},
    )


def is_fresh(draft: Draft) -> bool:
    """Tell whether a run was written to a moment ago, by its files and by the times in them: copies have new files."""
    times = [float(new.wall_times[-1]) for _, new in draft.series if len(new)]
    patience = quiet_seconds(*_gap(draft))
    now = time.time()
    by_events = not times or now - max(times) < patience
    return by_events and -QUIET_SECONDS < now - draft.run.last_written < patience


def _gap(draft: Draft) -> tuple[float, float]:
    pairs = [(float(new.wall_times[-2]), float(new.wall_times[-1])) for _, new in draft.series if len(new) > 1]
    return max(pairs, key=lambda pair: pair[1], default=(0.0, 0.0))


def quiet_seconds(before: float, last: float) -> float:
    """Return how long a training may be silent, by the times of its last two points."""
    gap = finite(last - before) or 0.0
    return min(max(QUIET_SECONDS, PATIENCE * gap), LONGEST_QUIET_SECONDS)


def last_written(draft: Draft, start: int) -> float:
    """Return when the files of a start were last written to, in seconds since the epoch.

    The last event says it: the files of a copy are newer than what is in them.
    """
    latest = max((one.log.file.modified_ns for one in draft.reading.logs if one.start == start), default=0) / 1e9
    times = (float(new.wall_times[-1]) for key, new in draft.series if key[0] == start and len(new))
    # A file's time is that of a coarser clock.
    return max((at for at in times if 0 < at <= latest + 2), default=latest)


def first_begun(logs: Iterable[EventLog]) -> float:
    """Return when the first of these event files was begun, in seconds since the epoch; 0 when no name says it."""
    return float(min((at for log in logs if (at := begun(log.file.name))), default=0))


def trainer_of(family: Family) -> Trainer:
    """Return the row that stands for trainers elsewhere: nothing can be started with it."""
    word = {"mlagents": "ML-Agents", **FORMATS}[family.value]
    columns = {
        "kind": "imported",
        "interpreter": family.value,
        "origin": "imported",
        "problem": "It stands for trainings that were not started by MENTOR.",
    }
    return Trainer.objects.get_or_create(name=f"imported: {word}", defaults=columns)[0]


def free_run_id(name: str) -> str:
    """Return a run id like this name that no session has, and no folder of a run."""
    plain = run_id_like(name)
    like = Q(run_id__iexact=plain) | Q(run_id__istartswith=f"{plain[:60]}-")
    number = TrainingSession.objects.filter(like).count()
    candidate = plain if not number else numbered(plain, number + 1)
    while _is_taken(candidate):
        number += 1
        candidate = numbered(plain, number + 1)
    return candidate


def _is_taken(run_id: str) -> bool:
    taken = TrainingSession.objects.filter(run_id__iexact=run_id).exists()
    return taken or RunDirectory(settings.MENTOR_HOME, run_id).path.exists()


def moment(seconds: float) -> datetime:
    """Return a time from seconds since the epoch; one that no calendar has becomes the nearest that it has."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), 253_402_000_000.0), tz=timezone.utc)


def move_to(session: TrainingSession, run: FoundRun, root: Path, source: Import) -> None:
    """Let an adopted session whose folder is gone have the one in which its run was found now."""
    found = ImportedRun.objects.filter(session=session).first()
    if found is None or found.source_id is None or Path(found.folder).is_dir():
        return
    place = root / run.results
    with transaction.atomic():
        ImportedRun.objects.filter(pk=found.pk).update(
            folder=str(place), name=run.name[:NAME_CHARACTERS], source=source, stamp=""
        )
        session.attempts.update(results_dir=str(place))
        state = State(session.state)
        record(session.pk, None, state, state, who=TAG, why=f"Found again in {place}.")
