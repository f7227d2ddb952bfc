"""Keeping the memo of a session beside its run, best effort; nobody but `manage.py recover` reads it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction

from sessions.models import Attempt, TrainingSession
from sessions.runtime.memo import AttemptMemo, SessionMemo, as_facts
from sessions.runtime.rundir import RunDirectory, atomic_write

logger = logging.getLogger(__name__)

Memo = TypeVar("Memo", AttemptMemo, SessionMemo)

TRAINER = ("name", "kind", "interpreter")
ENVIRONMENT = ("name", "path", "size", "modified_ns", "sha256")


_left_alone = False


@contextmanager
def left_alone() -> Iterator[None]:
    """Write no memo meanwhile: while a session is rebuilt, its memo knows more than the database."""
    global _left_alone
    _left_alone = True
    try:
        yield
    finally:
        _left_alone = False


def keep(session_id: int) -> None:
    """Write the session's memo once the current transaction is committed; what goes wrong then is only logged."""
    if _left_alone:
        return
    transaction.on_commit(lambda: _write(session_id), robust=True)


def _write(session_id: int) -> None:
    session = TrainingSession.objects.select_related("owner", "trainer", "environment").filter(pk=session_id).first()
    if session is None or session.origin == "imported":
        return  # an import rebuilds it from where it lies
    directory = RunDirectory(settings.MENTOR_HOME, session.run_id)
    try:
        directory.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic_write(directory.memo, as_facts(memo_of(session)))
    except OSError as error:
        logger.warning("%s cannot be written (%s); only the database knows this session", directory.memo, error)


def memo_of(session: TrainingSession) -> SessionMemo:
    """Return what is kept of a session and its attempts."""
    attempts = session.attempts.select_related("after").order_by("number")
    return _memo(
        SessionMemo,
        session,
        owner=session.owner.get_username() if session.owner else "",
        trainer={name: getattr(session.trainer, name) for name in TRAINER},
        environment={name: getattr(session.environment, name) for name in ENVIRONMENT} if session.environment else {},
        config_given=as_text(session.config_given),
        config_used=as_text(session.config_used),
        attempts=tuple(_attempt(attempt) for attempt in attempts),
    )


def _attempt(attempt: Attempt) -> AttemptMemo:
    return _memo(AttemptMemo, attempt, after=attempt.after.run_id if attempt.after else "")


def _memo(kind: type[Memo], row: TrainingSession | Attempt, **given: Any) -> Memo:
    """Fill a memo from the columns of the same names."""
    names = {item.name for item in fields(kind)} - set(given) - {"schema"}
    return kind(**{name: _plain(getattr(row, name)) for name in names}, **given)


def _plain(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value


def as_text(data: bytes | memoryview) -> str:
    """Return bytes as text that JSON can hold and a person can read, without losing one of them."""
    return bytes(data).decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """Return the bytes that `as_text` was given."""
    return text.encode("utf-8", "surrogateescape")
