"""The history rebuilt from the run directories, each attempt brought on by the supervisor's own rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.db import Error

from sessions.domain.states import ENDED, State, values
from sessions.errors import MentorError
from sessions.models import Attempt, Machine, TrainingSession
from sessions.selectors.remains import AttemptRemains, RunRemains, runs_in
from sessions.services import memo, packing, recovery
from sessions.services.repair import aside_of
from sessions.supervisor.watch import LOOK_SECONDS, Watch

# An ending nobody recorded is recorded in one look and read in the next.
LOOKS = 6
LONG_AGO_SECONDS = 60.0


@dataclass
class Rebuilt:
    """What became of one run directory; a `note` says what a person should know."""

    run_id: str
    attempts: list[int] = field(default_factory=list)
    state: str = ""
    note: str = ""


def known_attempts(run_id: str) -> Mapping[int, str]:
    """Return the states of the attempts that the database knows of a run, by number."""
    return dict(Attempt.objects.filter(session__run_id__iexact=run_id).values_list("number", "state"))


def unknown_runs(
    home: Path, *, known: Callable[[str], Mapping[int, str]] = known_attempts
) -> Iterator[tuple[RunRemains, list[AttemptRemains]]]:
    """Yield each run of which the database does not know everything, with the attempts that it does not know."""
    for run in runs_in(home):
        states = known(run.run_id)
        unknown = [one for one in run.attempts if _is_news(one, states.get(one.number))]
        if unknown:
            yield run, unknown


def _is_news(remains: AttemptRemains, state: str | None) -> bool:
    """An attempt that waits, as far as the database knows, and was launched is news too."""
    return state is None or (state == State.QUEUED.value and remains.spec is not None)


def recover(home: Path, machine: Machine) -> Iterator[Rebuilt]:
    """Store every run of which the database does not know everything; one that cannot be costs only itself."""
    found = list(unknown_runs(home))
    whole = []
    for run, unknown in found:
        done = _rebuilt(run, unknown, machine)
        whole += [] if done.note else [run]
        yield done
    for run in whole:
        session = TrainingSession.objects.get(run_id=run.run_id)
        recovery.await_again(session, run)
        memo.keep(session.pk)


def _rebuilt(run: RunRemains, unknown: list[AttemptRemains], machine: Machine) -> Rebuilt:
    done = Rebuilt(run.run_id)
    try:
        with memo.left_alone():
            _rebuild(run, unknown, machine, done)
    except MentorError as error:
        done.note = f"{error.detail} {error.hint}".strip()
    except (OSError, Error, ValueError, KeyError) as error:
        done.note = f"It could not be rebuilt: {error}"
    return done


def _rebuild(run: RunRemains, unknown: list[AttemptRemains], machine: Machine, done: Rebuilt) -> None:
    for remains in unknown:
        packing.unpack_folder(remains.directory.path.parent.parent)
    session = TrainingSession.objects.filter(run_id__iexact=run.run_id).first() or recovery.adopt_session(run)
    with recovery.at_rest(session, session.rules):
        for remains in unknown:
            if not _end_earlier(session, run, remains.number):
                done.note = f"Attempt {remains.number} waits: an earlier one has not ended. Recover again when it has."
                break
            _rebuild_attempt(session, run, remains, machine)
            done.attempts.append(remains.number)
    session.refresh_from_db()
    done.state = session.state


def _rebuild_attempt(session: TrainingSession, run: RunRemains, remains: AttemptRemains, machine: Machine) -> None:
    if remains.spec is not None:
        attempt = recovery.adopt_launched(session, remains, machine, wanted=_wish(run, remains))
        _see_through(attempt, run, remains)
        recovery.date_back(attempt)
    elif remains.memo is not None and run.memo is not None:
        recovery.adopt_waiting(session, remains.memo, run.memo)


def _wish(run: RunRemains, remains: AttemptRemains) -> str:
    """What was wanted of an attempt: of the last one the memo says it, of an earlier one how it ended."""
    if run.memo is not None and remains is run.attempts[-1]:
        return run.memo.wanted
    return "pause" if remains.memo is not None and remains.memo.state == State.PAUSED.value else "run"


def _end_earlier(session: TrainingSession, run: RunRemains, number: int) -> bool:
    """Bring an earlier attempt that the database believes to run to its end; return whether it has one."""
    earlier = session.attempts.filter(number__lt=number).exclude(state__in=values(ENDED)).first()
    remains = next((one for one in run.attempts if earlier and one.number == earlier.number), None)
    if earlier is None or remains is None or remains.spec is None:
        return earlier is None
    return _see_through(earlier, run, remains)


def _see_through(attempt: Attempt, run: RunRemains, remains: AttemptRemains) -> bool:
    """Let the supervisor's rules look at the attempt until it has ended or is seen to live; return whether it ended."""
    watch = Watch(attempt)
    watch.ingester.until = remains.ended_at
    watch.ingester.folder = _set_aside(watch.ingester.results, run, remains.number)
    # What was launched long ago has had its time; what was launched just now may still be on its way.
    pause = LONG_AGO_SECONDS if time.time() - remains.launched_at > LONG_AGO_SECONDS else LOOK_SECONDS
    ended = any(not watch.tick(look * pause) for look in range(LOOKS))
    if not ended:
        recovery.lease_again(attempt)
    return ended


def _set_aside(results: Path, run: RunRemains, number: int) -> Path | None:
    """Return where an attempt's results are if a later one, which began anew, set them aside."""
    later = (aside_of(results, one.number) for one in run.attempts if one.number > number)
    return next((aside for aside in later if aside.is_dir()), None)
