"""What Unity wrote beside the console: `run_logs/Player-N.log`, one for each worker that a build was started for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sessions.domain.states import ENDED, State
from sessions.errors import Missing
from sessions.models import TrainingSession
from sessions.selectors.console import attempt_of, read_part, tail_offset
from sessions.selectors.run_files import MOST_ENTRIES, PLAYER_LOG, folder_of_results

FOLDER = "run_logs"


@dataclass(frozen=True)
class PlayerLogPart:
    """Text of one worker's log from `offset` up to `next_offset`, in bytes; `ended` when nothing more will come.

    `workers` are the numbers of all there are; without any, `worker` is None. A further attempt writes its logs anew,
    so offsets hold within one `attempt`; an offset behind the end of the file is answered from its beginning.
    """

    attempt: int
    workers: list[int]
    worker: int | None
    offset: int
    next_offset: int
    text: str
    ended: bool


def player_logs_of(session: TrainingSession) -> dict[int, Path]:
    """Return the log of each worker there is one of, by number."""
    folder = folder_of_results(session, FOLDER)
    if folder is None:
        return {}
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, MOST_ENTRIES) if entry.is_file(follow_symlinks=False)]
    except OSError:
        return {}
    numbered = {int(found[1]): folder / name for name in names if (found := PLAYER_LOG.fullmatch(name))}
    return dict(sorted(numbered.items()))


def player_log_part(session: TrainingSession, *, worker: int | None, after: int | None, limit: int) -> PlayerLogPart:
    """Return a part of a worker's log, of the first there is unless a number is given; without `after` its end.

    Raises Missing for a worker that has no log.
    """
    logs = player_logs_of(session)
    attempt = attempt_of(session)
    number = attempt.number if attempt else 0
    ended = attempt is None or State(attempt.state) in ENDED
    if worker is None:
        worker = next(iter(logs), None)
    if worker is None:
        return PlayerLogPart(number, [], None, 0, 0, "", ended)
    if worker not in logs:
        raise Missing(f"There is no log of worker {worker}.")
    path = logs[worker]
    start = _start(path, after, limit)
    block, end = read_part(path, start, limit, whole=ended)
    text = block.decode("utf-8", "replace")
    return PlayerLogPart(number, list(logs), worker, start, end, text, ended and (not block or len(block) < limit))


def _start(path: Path, after: int | None, limit: int) -> int:
    if after is None:
        return tail_offset(path, limit)
    try:
        return after if after <= path.stat().st_size else 0
    except OSError:
        return 0
