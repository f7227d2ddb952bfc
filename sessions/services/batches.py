"""Several sessions at once: of several configurations, with several seeds, side by side or one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from sessions.errors import Conflict, InvalidStart
from sessions.models import TrainingSession
from sessions.services import preflight
from sessions.services.planning import StartPlan, StartRequest, plan_start
from sessions.services.starting import store

MOST_IN_A_BATCH = 100
RUN_ID_CHARACTERS = 64


def variations(request: StartRequest, *, configs: Sequence[str], seeds: Sequence[int]) -> list[StartRequest]:
    """Return the request once for each of its own configuration and `configs` (paths), with each of `seeds`.

    Where there are several, the file's name and the seed become parts of the run id.
    """
    chosen: Sequence[int | None] = seeds or [request.seed]
    sources = [request, *(_with_config(request, path) for path in configs)]
    return [
        replace(
            one,
            run_id=_named(request.run_id, _stem(one) if configs else "", f"s{seed}" if len(seeds) > 1 else ""),
            seed=seed,
        )
        for one in sources
        for seed in chosen
    ]


def _with_config(request: StartRequest, path: str) -> StartRequest:
    return replace(request, config=None, config_path=path, config_name="")


def _stem(request: StartRequest) -> str:
    name = (request.config_path or request.config_name or "").replace("\\", "/")
    return PurePath(name).stem


def _named(*parts: str) -> str:
    first, *rest = (part for part in parts if part)
    tail = "".join(f"-{part}" for part in rest)[-RUN_ID_CHARACTERS // 2 :]
    return first[: RUN_ID_CHARACTERS - len(tail)] + tail


def start_many(requests: Sequence[StartRequest], *, by: User, sequential: bool = False) -> list[TrainingSession]:
    """Queue several sessions, all of them or none; with `sequential` each waits for the end of the one before.

    Raises InvalidStart with the sentences of every request that is wrong, each named by its run id.
    """
    plans = _plan_many(requests, by=by)
    sessions: list[TrainingSession] = []
    try:
        with transaction.atomic():
            for plan in plans:
                before = sessions[-1] if sequential and sessions else plan.after
                sessions.append(store(replace(plan, after=before), by))
    except IntegrityError as error:
        raise Conflict("One of the run ids was taken a moment ago.", hint="Choose others and start again.") from error
    return sessions


def _plan_many(requests: Sequence[StartRequest], *, by: User) -> list[StartPlan]:
    if len(requests) > MOST_IN_A_BATCH:
        raise InvalidStart(f"At most {MOST_IN_A_BATCH} sessions can be started at once.")
    plans: list[StartPlan] = []
    errors: dict[str, list[str]] = {}
    for request in requests:
        if request.run_id.lower() in {plan.request.run_id.lower() for plan in plans}:
            errors.setdefault(request.run_id, []).append("This run id is given twice.")
            continue
        try:
            plan = plan_start(request, by=by)
            preflight.require(plan)
            plans.append(plan)
        except (InvalidStart, Conflict) as error:
            said = [sentence for sentences in error.errors.values() for sentence in sentences]
            errors.setdefault(request.run_id, []).extend(said or [error.detail])
    if errors:
        run_id, sentences = next(iter(errors.items()))
        raise InvalidStart(f"{run_id}: {sentences[0]}", hint="Nothing was started.", errors=errors)
    return plans
