"""Looking before a start: the checks of a plan, and the questions to the trainer's own parser and the environment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from sessions.domain.config import ConfigError, read_config
from sessions.domain.preflight.checks import Check, Level, worst_first
from sessions.errors import InvalidStart, LaunchFailed
from sessions.models import Attempt, Connection, Environment, ParserVerdict, Trainer
from sessions.runtime.rundir import RunDirectory
from sessions.selectors import preflight as facts
from sessions.selectors.preflight import Intent
from sessions.selectors.sessions import visible_sessions
from sessions.services.environments import launched_by_mlagents, verify
from sessions.services.planning import StartPlan
from sessions.services.surroundings import trainer_surroundings
from sessions.trainers.connecting import Connected, connect
from sessions.trainers.kinds import KINDS
from sessions.trainers.parser import have_parsed

ASK_TASK = "sessions.tasks.ask_parser"
CONNECT_TASK = "sessions.tasks.connect_environment"
# A question that no worker answered, and a refusal, may be asked again after this long.
PATIENCE = timedelta(seconds=60)
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Preflight:
    """What the checks say of a plan; how it stands with parser and environment is one of `facts.STATES`."""

    checks: list[Check]
    parser: str
    connection: str
    config_field: str = "config"

    @property
    def errors(self) -> dict[str, list[str]]:
        """Sentences by field for what would refuse the start."""
        return facts.errors_by_field(self.checks, config_field=self.config_field)


def preflight(plan: StartPlan, *, by: User) -> Preflight:
    """Look at all that could stop a training that is planned; stores nothing."""
    intent = intent_of(plan)
    editor = intent.build is None and facts.waits_for_play(plan.trainer, plan.options)
    checks = facts.lasting_checks(intent)
    if not any(one.id == "behaviors" for one in checks):
        checks.append(facts.check_known_behaviors(plan.config, _environment_of(plan), user=by))
    checks += _checks_of_source(plan, intent, by)
    checks += facts.passing_checks(intent, editor=editor)
    return Preflight(
        worst_first(checks), facts.parser_state(intent), facts.connection_state(intent), _config_field(plan)
    )


def require(plan: StartPlan) -> None:
    """Raise InvalidStart with sentences per field when a check of a plan found an error."""
    refused = [one for one in facts.lasting_checks(intent_of(plan)) if one.level is Level.ERROR]
    if refused:
        errors = facts.errors_by_field(refused, config_field=_config_field(plan))
        raise InvalidStart(refused[0].finding, hint=refused[0].fix, errors=errors)


def require_launchable(attempt: Attempt) -> None:
    """Raise LaunchFailed when something was found that would end the attempt; takes no time worth mentioning."""
    try:
        config = read_config(bytes(attempt.session.config_used))
    except ConfigError:
        return  # of a trainer that reads what MENTOR does not
    session = attempt.session
    environment = session.environment
    intent = Intent(
        run_id=session.run_id,
        trainer=session.trainer,
        config=config,
        options={**session.options, **({"device": attempt.device} if attempt.device else {})},
        results_dir=Path(attempt.results_dir),
        cwd=RunDirectory(settings.MENTOR_HOME, session.run_id).attempt(attempt.number).path,
        variables=_variables(session.trainer),
        build=launched_by_mlagents(Path(environment.path)) if environment else None,
        environment=environment,
    )
    refused = next((one for one in facts.lasting_checks(intent) if one.level is Level.ERROR), None)
    if refused is not None:
        raise LaunchFailed(refused.sentence)


def intent_of(plan: StartPlan) -> Intent:
    """Return what a plan would train, as the checks see it."""
    path = Path(plan.environment.path) if plan.environment else plan.new_environment
    known = plan.new_environment is not None and _environment_of(plan) is not None
    return Intent(
        run_id=plan.request.run_id,
        trainer=plan.trainer,
        config=plan.config,
        options=plan.options,
        results_dir=plan.results_dir,
        cwd=RunDirectory(settings.MENTOR_HOME, plan.request.run_id).attempt(plan.attempt_number).path,
        variables=_variables(plan.trainer),
        build=launched_by_mlagents(path) if path else None,
        rebuilt=known,
        environment=plan.environment,
    )


def ask(plan: StartPlan) -> None:
    """Have a worker ask whoever can be asked about a plan and has not answered; returns at once."""
    intent = intent_of(plan)
    if intent.is_mlagents:
        _ask_parser(plan, intent)
        _connect(plan, intent)


def _ask_parser(plan: StartPlan, intent: Intent) -> None:
    """One question is asked at a time, so that launches never wait behind many of them."""
    now = timezone.now()
    columns: dict[str, Any] = {"trainer": plan.trainer, "config": plan.config.used, "asked_at": now}
    with transaction.atomic():
        ParserVerdict.objects.filter(asked_at__lt=now - KEPT).delete()
        verdict, is_new = ParserVerdict.objects.get_or_create(digest=facts.question_of(intent), defaults=columns)
        stale = ParserVerdict.objects.filter(pk=verdict.pk, asked_at__lt=now - PATIENCE).exclude(accepted=True)
        if is_new or stale.update(asked_at=now, answered_at=None, accepted=None):
            others = _waiting().filter(asked_at__gt=now - PATIENCE).exclude(pk=verdict.pk)
            if not others.exists():
                async_task(ASK_TASK, verdict.pk)


def answer(verdict_id: int) -> None:
    """Ask the trainer's parser what somebody wants to know and keep its answer; the next question has its turn then."""
    verdict = _waiting().filter(pk=verdict_id).select_related("trainer").first()
    if verdict is None:
        return  # answered, or too old to matter
    trainer = verdict.trainer
    said = have_parsed(trainer.interpreter, bytes(verdict.config), variables=_variables(trainer))
    with transaction.atomic():
        _waiting().filter(pk=verdict.pk).update(
            accepted=said.accepted, stage=said.stage, sentence=said.sentence, fix=said.fix, answered_at=timezone.now()
        )
        following = _waiting().order_by("asked_at").first()
        if following is not None:
            async_task(ASK_TASK, following.pk)


def _connect(plan: StartPlan, intent: Intent) -> None:
    """Only a build that is registered is started, one at a time."""
    question = facts.connection_question(intent)
    if not question or plan.environment is None:
        return
    now = timezone.now()
    columns = {"environment": plan.environment, "trainer": plan.trainer, "sha256": plan.environment.sha256}
    columns |= {"arguments": list(plan.options.get("env_args", ())), "asked_at": now}
    with transaction.atomic():
        Connection.objects.filter(asked_at__lt=now - KEPT).delete()
        connection, is_new = Connection.objects.get_or_create(digest=question, defaults=columns)
        stale = Connection.objects.filter(pk=connection.pk, asked_at__lt=now - PATIENCE, behaviors__isnull=True)
        if is_new or stale.update(asked_at=now, answered_at=None, sentence="", fix=""):
            async_task(CONNECT_TASK, connection.pk)


def answer_connection(connection_id: int) -> None:
    """Start a build for a moment and keep what it answers, unless it changed since it was registered."""
    waiting = Connection.objects.filter(pk=connection_id, answered_at=None).select_related("environment", "trainer")
    connection = waiting.first()
    if connection is None:
        return  # answered, or too old to matter
    try:
        verify(connection.environment)
        found = connect(
            connection.trainer.interpreter,
            connection.environment.path,
            arguments=connection.arguments,
            variables=_variables(connection.trainer),
        )
    except (InvalidStart, OSError) as error:
        found = Connected(sentence=str(error))
    sentence = " ".join([found.sentence, *found.seen]).strip()
    waiting.update(behaviors=found.behaviors, sentence=sentence, fix=found.fix, answered_at=timezone.now())


def _waiting() -> QuerySet[ParserVerdict]:
    return ParserVerdict.objects.filter(answered_at=None)


def _variables(trainer: Trainer) -> dict[str, str]:
    return trainer_surroundings(
        extra=settings.MENTOR["MENTOR_PASS_ENVIRONMENT"], variables=KINDS[trainer.kind].variables, cookie=""
    )


def _environment_of(plan: StartPlan) -> Environment | None:
    if plan.environment is not None or plan.new_environment is None:
        return plan.environment
    return Environment.objects.filter(path=str(plan.new_environment)).first()


def _config_field(plan: StartPlan) -> str:
    return "config_path" if plan.request.config_path else "config"


def _checks_of_source(plan: StartPlan, intent: Intent, by: User) -> list[Check]:
    if plan.request.resume and plan.existing is not None:
        return facts.check_going_on(plan.existing, intent)
    source = visible_sessions(by).filter(run_id=plan.request.initialize_from or "").first()
    if source is not None:
        return [facts.check_source(source, intent)]
    files = {one.behavior: one.path for one in plan.chosen}
    named = ", ".join(one.source for one in plan.chosen)
    return [facts.check_chosen(files, intent, source=named)] if files else []
