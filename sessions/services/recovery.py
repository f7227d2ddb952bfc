"""Rows made again from what the run directories say; how their attempts ended is left to the supervisor's own rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from sessions.domain.command import RunOptions
from sessions.domain.config import ConfigError, read_config
from sessions.domain.queue import EDITOR_PORT
from sessions.domain.states import ENDED, EXPLANATIONS, State
from sessions.errors import InvalidInput
from sessions.models import Attempt, Environment, Machine, PortLease, SessionEvent, Trainer, TrainingSession
from sessions.models.session import THROWN_AWAY
from sessions.runtime.memo import AttemptMemo, SessionMemo
from sessions.selectors.remains import AttemptRemains, RunRemains
from sessions.services.environments import fingerprint
from sessions.services.memo import as_bytes
from sessions.services.planning import OPTION_FIELDS, results_of_run
from sessions.services.queue import as_waiting
from sessions.services.starting import plan_behaviors
from sessions.services.transitions import record
from sessions.trainers.kinds import KINDS

WHO = "recover"
WHY = "Rebuilt from its run directory."
MEMORISED = ("name", "notes", "tags", "project", "config_name", "priority", "held", "rules")
NO_OPTIONS = RunOptions(run_id="", results_dir="")


def adopt_session(run: RunRemains) -> TrainingSession:
    """Store the session of a run directory, without its attempts, and return it. Raises InvalidInput."""
    memo = run.memo or SessionMemo(run.run_id)
    last = run.attempts[-1]
    given, used = _configs(run)
    session = TrainingSession.objects.create(
        run_id=run.run_id,
        **{name: getattr(memo, name) for name in MEMORISED},
        **({"place": memo.place} if memo.place else {}),
        owner=_owner(memo.owner),
        origin=memo.origin if memo.origin in THROWN_AWAY else "mentor",
        trainer=_trainer(memo.trainer, last),
        environment=_environment(memo.environment, last),
        config_given=given,
        config_used=used,
        options=memo.options if run.memo else _options(last.options or NO_OPTIONS),
    )
    moments = {"created_at": moment(run.began_at)}
    moments |= {name: moment(getattr(memo, name)) for name in ("archived_at", "trashed_at")}
    chore = "pack" if memo.archived_at else ""
    TrainingSession.objects.filter(pk=session.pk).update(**moments, chore=chore)
    session.refresh_from_db()
    return session


@contextmanager
def at_rest(session: TrainingSession, rules: dict[str, Any]) -> Iterator[None]:
    """Keep a session's rules from acting on what is long past; afterwards it has `rules` again.

    What they say of checkpoints to keep holds all the time: without it some would be removed.
    """
    rows = TrainingSession.objects.filter(pk=session.pk)
    rows.update(rules={name: value for name, value in rules.items() if name.startswith("keep_")})
    try:
        yield
    finally:
        rows.update(rules=rules)


def adopt_launched(session: TrainingSession, remains: AttemptRemains, machine: Machine, *, wanted: str) -> Attempt:
    """Store an attempt that was launched as the launch left it, so that the supervisor's rules can take it on."""
    options = remains.options or NO_OPTIONS
    launched = moment(remains.launched_at)
    columns = _from_memo(remains.memo) | {
        "state": State.LAUNCHING.value,
        "machine": machine,
        "cookie": remains.spec.cookie if remains.spec else "",
        "resume": options.resume,
        "force": options.force,
        "command": remains.command,
        "base_port": options.base_port,
        "device": remains.memo.device if remains.memo else "",
        "results_dir": options.results_dir or str(results_of_run(session.run_id)),
        "granted_at": launched,
        "launched_at": launched,
    }
    with transaction.atomic():
        attempt = _store(session, remains.number, columns)
        _set_state(session, State.LAUNCHING, EXPLANATIONS[State.LAUNCHING], wanted=wanted)
        if (configs := remains.configs()) is not None:
            given, used = configs
            TrainingSession.objects.filter(pk=session.pk).update(config_given=given, config_used=used)
            _plan(session, used, fresh=not options.resume)
        record(session.pk, attempt.pk, State.QUEUED, State.LAUNCHING, who=WHO, why=WHY)
    return _whole(attempt)


def adopt_waiting(session: TrainingSession, memo: AttemptMemo, told: SessionMemo) -> Attempt:
    """Store an attempt that was never launched: one that waits goes on waiting, one that ended stays ended."""
    ended = memo.state in {state.value for state in ENDED}
    state = State(memo.state) if ended else State.QUEUED
    columns = _from_memo(memo) | {"state": state.value, "cookie": memo.cookie, "ended_at": moment(memo.ended_at)}
    with transaction.atomic():
        attempt = _store(session, memo.number, columns)
        _set_state(session, state, told.explanation, wanted="run", ended_at=moment(memo.ended_at))
        _plan(session, bytes(session.config_used), fresh=not memo.resume)
        record(session.pk, attempt.pk, None, state, who=WHO, why=WHY)
    return _whole(attempt)


def await_again(session: TrainingSession, run: RunRemains) -> None:
    """Let the attempts that wait for the end of another session wait for it again."""
    for memo in run.memo.attempts if run.memo else ():
        if memo.after:
            after = TrainingSession.objects.filter(run_id=memo.after).first()
            session.attempts.filter(number=memo.number, state=State.QUEUED.value).update(after=after)


def date_back(attempt: Attempt) -> None:
    """Give a rebuilt attempt, its session and its events the times at which things happened."""
    attempt.refresh_from_db()
    launched = attempt.launched_at
    Attempt.objects.filter(pk=attempt.pk, started_at__isnull=False).update(started_at=launched)
    events = SessionEvent.objects.filter(attempt=attempt).exclude(who=WHO)
    ended = [state.value for state in ENDED]
    events.exclude(to_state__in=ended).update(at=launched)
    if attempt.ended_at is not None:
        attempt.session.behaviors.filter(seen=True).update(trained_at=attempt.ended_at)
        events.filter(to_state__in=ended).update(at=attempt.ended_at)
    first = attempt.session.attempts.filter(started_at__isnull=False).order_by("number").first()
    if first is not None:
        TrainingSession.objects.filter(pk=attempt.session_id).update(started_at=first.started_at)


def lease_again(attempt: Attempt) -> None:
    """Let an attempt that lives hold its ports; one that another holds stays with that."""
    if attempt.machine is None:
        return
    needs = as_waiting(attempt)
    first = EDITOR_PORT if needs.editor else attempt.base_port
    ports = range(first, first + max(1, needs.ports)) if first else ()
    PortLease.objects.bulk_create(
        (PortLease(machine=attempt.machine, port=port, attempt=attempt) for port in ports), ignore_conflicts=True
    )


def _store(session: TrainingSession, number: int, columns: dict[str, Any]) -> Attempt:
    try:
        with transaction.atomic():
            return Attempt.objects.update_or_create(session=session, number=number, defaults=columns)[0]
    except IntegrityError as error:
        raise InvalidInput(
            f"Attempt {number} of {session.run_id} is a copy of another run's.", hint="Move the copy out of runs/."
        ) from error


def _set_state(session: TrainingSession, state: State, explanation: str, **columns: Any) -> None:
    TrainingSession.objects.filter(pk=session.pk).update(
        **{"ended_at": None, **columns}, state=state.value, explanation=explanation or EXPLANATIONS[state]
    )


def _whole(attempt: Attempt) -> Attempt:
    return Attempt.objects.select_related("session__trainer", "session__environment").get(pk=attempt.pk)


def _from_memo(memo: AttemptMemo | None) -> dict[str, Any]:
    if memo is None:
        return {}
    names = (
        "automatic",
        "resume",
        "force",
        "command",
        "device",
        "results_dir",
        "failure",
        "stop_asked_by",
        "starts_from",
    )
    times = {name: moment(getattr(memo, name)) for name in ("not_before", "stop_asked_at")}
    return {name: getattr(memo, name) for name in names} | times


def moment(seconds: float | None) -> datetime | None:
    """Return a time from seconds since the epoch."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc) if seconds else None


def _configs(run: RunRemains) -> tuple[bytes, bytes]:
    """The memo's, for it is the newest; else those of the last attempt that kept any."""
    if run.memo and run.memo.config_used:
        return as_bytes(run.memo.config_given), as_bytes(run.memo.config_used)
    return next((found for one in reversed(run.attempts) if (found := one.configs())), (b"", b""))


def _plan(session: TrainingSession, config: bytes, *, fresh: bool) -> None:
    try:
        plan_behaviors(session, read_config(config), fresh=fresh)
    except ConfigError:
        return  # the console still names the behaviors


def _options(found: RunOptions) -> dict[str, Any]:
    """The options that differ from ML-Agents' defaults, in the shape in which a session keeps them."""
    default = replace(NO_OPTIONS, run_id=found.run_id, results_dir=found.results_dir)
    names = [name for name in (*OPTION_FIELDS, "initialize_from") if getattr(found, name) != getattr(default, name)]
    options = {name: getattr(found, name) for name in names}
    options |= {"env_args": list(found.env_args)} if found.env_args else {}
    return {**options, "further": dict(found.further)} if found.further else options


def _owner(name: str) -> User | None:
    """The user of that name. One that went with the database comes back without password and permissions."""
    if not name:
        return None
    known = User.objects.filter(username=name).first()
    if known is None:
        known = User(username=name)
        known.set_unusable_password()
        known.save()
    return known


def _trainer(told: dict[str, Any], last: AttemptRemains) -> Trainer:
    """The trainer of that name, or of that interpreter, else one that is registered again."""
    argv = last.spec.argv if last.spec else []
    kind = str(told.get("kind") or next((key for key, kind in KINDS.items() if kind.module in argv), "mlagents"))
    interpreter = str(told.get("interpreter") or (argv[0] if argv else sys.executable))
    name = str(told.get("name") or kind)
    known = Trainer.objects.filter(kind=kind, name=name).first()
    known = known or Trainer.objects.filter(kind=kind, interpreter=interpreter).first()
    return known or Trainer.objects.create(name=name, kind=kind, interpreter=interpreter, origin="registered")


def _environment(told: dict[str, Any], last: AttemptRemains) -> Environment | None:
    """The build of that path; one without a memo is taken as it is now, one that is gone as it was."""
    path = str(told.get("path") or (last.options.env_path if last.options else "") or "")
    if not path:
        return None
    known = Environment.objects.filter(path=path).first()
    if known is not None:
        return known
    if not told:
        told = dict(zip(("size", "modified_ns", "sha256"), _print_of(Path(path)), strict=True))
    columns = {name: told[name] for name in ("size", "modified_ns", "sha256")}
    return Environment.objects.create(path=path, name=_free_name(str(told.get("name") or Path(path).stem)), **columns)


def _print_of(path: Path) -> tuple[int, int, str]:
    try:
        return fingerprint(path)
    except OSError:
        return 0, 0, ""


def _free_name(name: str) -> str:
    taken = set(Environment.objects.filter(name__startswith=name).values_list("name", flat=True))
    return next(one for one in (name, *(f"{name} {number}" for number in range(2, 10_000))) if one not in taken)
