"""Checking a request to start: everything is looked at, all that is wrong is told at once, nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from sessions.domain import command
from sessions.domain.config import Config, ConfigError, OverrideError, read_config, with_overrides
from sessions.domain.configuration.findings import Severity
from sessions.domain.rules import InvalidRules, as_json, read_rules
from sessions.domain.states import ENDED, State
from sessions.errors import Conflict, InvalidInput, InvalidStart, MentorError, NotAllowed
from sessions.models import Environment, Trainer, TrainingSession
from sessions.runtime.rundir import RunDirectory
from sessions.selectors.files import checkpoints_are_gone
from sessions.services import environments, initializing, notices, schedule, trainers
from sessions.services.config_files import read_config_file
from sessions.services.notices import MOST_SENTENCES
from sessions.services.staging import Chosen

OPTION_FIELDS = (
    "seed", "num_envs", "no_graphics", "width", "height", "time_scale", "timeout_wait", "device", "env_args",
)  # fmt: skip

GONE = "Bring its results folder back, or begin anew with force."


@dataclass(frozen=True)
class StartRequest:
    """What a user asks for; None means ML-Agents' default. Exactly one of `config` and `config_path` is given."""

    run_id: str
    config: bytes | None = None
    config_path: str | None = None
    config_name: str = ""
    env_path: str | None = None
    # Asked for in so many words: an environment that the configuration names is then not taken.
    editor: bool = False
    trainer: str | int | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    num_envs: int | None = None
    no_graphics: bool | None = None
    width: int | None = None
    height: int | None = None
    time_scale: float | None = None
    timeout_wait: int | None = None
    env_args: tuple[str, ...] = ()
    device: str | None = None
    resume: bool = False
    force: bool = False
    initialize_from: str | None = None
    priority: int = 0
    held: bool = False
    start_at: datetime | None = None
    start_after: str | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    name: str = ""
    rules: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class StartPlan:
    """A request that was checked: what would be started, and what its trainer would be told."""

    request: StartRequest
    config: Config
    trainer: Trainer
    environment: Environment | None
    new_environment: Path | None
    existing: TrainingSession | None
    options: dict[str, Any]
    rules: dict[str, Any]
    results_dir: Path
    attempt_number: int
    after: TrainingSession | None
    notices: list[str]
    # Those of the notices that speak of settings which are fields of a session.
    told: list[str]
    chosen: list[Chosen] = field(default_factory=list)

    @property
    def command(self) -> list[str]:
        """The command line a person would type for the same training."""
        environment = self.environment.path if self.environment else self.new_environment
        return command_of(
            self.request.run_id,
            self.attempt_number,
            options=self.options,
            env_path=str(environment) if environment else None,
            results_dir=self.results_dir,
            resume=self.request.resume,
            force=self.request.force,
            base_port=None,
        )


def command_of(
    run_id: str,
    number: int,
    *,
    options: Mapping[str, Any],
    env_path: str | None,
    results_dir: Path,
    resume: bool,
    force: bool,
    base_port: int | None,
) -> list[str]:
    """Return `mlagents-learn` and its arguments for one attempt."""
    known = {name: options[name] for name in (*OPTION_FIELDS, "further") if options.get(name) is not None}
    run_options = command.RunOptions(
        run_id=run_id,
        results_dir=str(results_dir),
        env_path=env_path,
        base_port=base_port,
        resume=resume,
        force=force,
        initialize_from=options.get("initialize_from"),
        inference=bool(options.get("inference")),
        **{**known, "env_args": tuple(known.get("env_args", ()))},
    )
    config_path = RunDirectory(settings.MENTOR_HOME, run_id).attempt(number).config
    return ["mlagents-learn", *command.command_line(str(config_path), run_options)]


def results_of_run(run_id: str) -> Path:
    """Return what mlagents-learn is given as --results-dir for this run id."""
    own: Path | None = settings.MENTOR["MENTOR_RESULTS_DIR"]
    return own or RunDirectory(settings.MENTOR_HOME, run_id).results


def default_rules() -> dict[str, Any]:
    """Return the rules of a session that brings none: those of MENTOR_RULES."""
    return dict(settings.MENTOR["MENTOR_RULES"])


def plan_start(request: StartRequest, *, by: User) -> StartPlan:
    """Check a request without storing or starting anything.

    Raises InvalidStart with sentences per field, NotAllowed, or Conflict when the run id's session is still active.
    """
    if not by.has_perm("training.start_session"):
        raise NotAllowed("You may not start sessions.", hint="Ask an administrator for the permission to start.")
    errors = _Errors()
    config = _config(request, errors, by=by)
    asked, request = request, _completed(request, config)
    trainer = _trainer(request, errors)
    environment, new_environment = _environment(request, errors, by=by, by_configuration=not asked.env_path)
    existing = TrainingSession.objects.filter(run_id__iexact=request.run_id).first()
    options = _options(request, config)
    rules = _rules(request, existing, errors)
    number = next_attempt_number(existing)
    after = _after(request, existing, errors)
    _check_options(request, options, environment or new_environment, errors)
    chosen: list[Chosen] = []
    if "run_id" not in errors.sentences:
        _check_run_id(request, existing, results_of_run(request.run_id), errors)
        chosen = _initialize_from(request, options, number, (config, trainer), errors, by=by)
    errors.raise_if_any()
    assert config is not None and trainer is not None  # noqa: S101 - for the type checker: no errors were collected
    return StartPlan(
        request=request,
        config=config,
        trainer=trainer,
        environment=environment,
        new_environment=new_environment,
        existing=existing,
        options=options,
        rules=rules,
        results_dir=results_of_run(request.run_id),
        attempt_number=number,
        after=after,
        notices=notices.notices(config, trainer, asked=_asked(asked, config), in_editor=not request.env_path),
        chosen=chosen,
        told=notices.told(config, asked=_asked(asked, config)),
    )


class _Errors:
    """Sentences by field, collected until all fields were looked at."""

    def __init__(self) -> None:
        self.sentences: dict[str, list[str]] = {}
        self.hint = ""

    def add(self, name: str, sentence: str, hint: str = "") -> None:
        self.sentences.setdefault(name, []).append(sentence)
        self.hint = self.hint or hint

    def raise_if_any(self) -> None:
        if self.sentences:
            first = next(iter(self.sentences.values()))[0]
            raise InvalidStart(first, hint=self.hint, errors=self.sentences)


def _config(request: StartRequest, errors: _Errors, *, by: User) -> Config | None:
    name = "config_path" if request.config_path else "config"
    try:
        data = _config_bytes(request, by=by)
        config = read_config(data, plugins=settings.MENTOR["MENTOR_PLUGIN_TRAINERS"])
    except ConfigError as error:
        refused = [one for one in error.findings if one.severity is Severity.ERROR]
        for finding in refused[:MOST_SENTENCES]:
            errors.add(name, finding.sentence, finding.hint)
        return None
    except InvalidStart as error:
        errors.add(name, error.detail, error.hint)
        return None
    try:
        return with_overrides(config, request.overrides)
    except OverrideError as error:
        errors.add("overrides", str(error))
        return None
    except ConfigError as error:
        errors.add("overrides", str(error), error.hint)
        return None


def _completed(request: StartRequest, config: Config | None) -> StartRequest:
    """The request with the fields it leaves open taken from the configuration; notices tell of each."""
    found = config.fields if config else {}
    env_path, env_args, source = (found.get(name) for name in ("env_path", "env_args", "initialize_from"))
    return replace(
        request,
        env_path=request.env_path or (None if request.editor else env_path),
        env_args=request.env_args or (() if request.editor else tuple(env_args or ())),
        initialize_from=request.initialize_from or (None if request.resume else source),
    )


def _config_bytes(request: StartRequest, *, by: User) -> bytes:
    if request.config is not None and request.config_path:
        raise InvalidStart("Give the configuration either as text or as a path, not both.")
    if request.config is not None and request.config.strip():
        return request.config
    if not request.config_path:
        raise InvalidStart("A configuration is needed.", hint="Choose a file, upload one, or paste its text.")
    return read_config_file(request.config_path, by=by)


def _trainer(request: StartRequest, errors: _Errors) -> Trainer | None:
    trainer = trainers.choose(request.trainer)
    if trainer is None:
        errors.add(
            "trainer",
            f"There is no trainer {request.trainer}." if request.trainer else "No trainer was found on this machine.",
            "Set MENTOR_MLAGENTS_LEARN or register an interpreter on the trainers page.",
        )
    elif trainer.problem:
        errors.add("trainer", trainer.problem)
    return trainer


def _environment(
    request: StartRequest, errors: _Errors, *, by: User, by_configuration: bool
) -> tuple[Environment | None, Path | None]:
    """The environment, or the path of one to register. A file from anywhere may name only what is registered."""
    if not request.env_path:
        return None, None
    try:
        path = environments.resolve(request.env_path)
        known = Environment.objects.filter(path=str(path)).first()
        may_register = by.has_perm("training.manage_environment") and not by_configuration
        if known is not None and (environments.unchanged(known) or not may_register):
            environments.verify(known)
            return known, None
        if by_configuration:
            message = f"The configuration names the environment {path}, which is not registered."
            raise InvalidStart(message, hint="Name it as the environment when you start, if you trust it.")
        if not may_register:
            raise InvalidStart("This environment is not registered.", hint="Ask an administrator to register it.")
    except InvalidStart as error:
        errors.add("env_path", error.detail, error.hint)
        return None, None
    return None, path


def _after(request: StartRequest, existing: TrainingSession | None, errors: _Errors) -> TrainingSession | None:
    if not request.start_after:
        return None
    try:
        return schedule.session_to_wait_for(request.start_after, waiting=existing)
    except MentorError as error:
        errors.add("start_after", error.detail)
        return None


def _options(request: StartRequest, config: Config | None) -> dict[str, Any]:
    """The options that differ from ML-Agents' default: the request's, else those found in the configuration."""
    found = dict(config.defaults) if config else {}
    options = {name: found[name] for name in OPTION_FIELDS if found.get(name) is not None}
    for name in OPTION_FIELDS:
        value = getattr(request, name)
        if value is not None and value != ():
            options[name] = list(value) if isinstance(value, tuple) else value
    further = {name: found[name] for name in command.FURTHER if name in found}
    return {**options, "further": further} if further else options


def _rules(request: StartRequest, existing: TrainingSession | None, errors: _Errors) -> dict[str, Any]:
    """The rules of the request; without any, those the session has, and of a new one MENTOR_RULES."""
    if request.rules is None:
        return existing.rules if existing else default_rules()
    try:
        return as_json(read_rules(request.rules))
    except InvalidRules as error:
        for name, sentences in error.errors.items():
            errors.add(name, " ".join(sentences))
        return {}


def _check_options(
    request: StartRequest,
    options: dict[str, Any],
    environment: Environment | Path | None,
    errors: _Errors,
) -> None:
    path = environment.path if isinstance(environment, Environment) else environment
    run_options = command.RunOptions(
        run_id=request.run_id,
        results_dir="results",
        env_path=str(path) if path else None,
        resume=request.resume,
        force=request.force,
        initialize_from=request.initialize_from,
        **{**options, "env_args": tuple(options.get("env_args", ()))},
    )
    for name, sentences in command.validate_options(run_options).items():
        for sentence in sentences:
            errors.add(name, sentence)


def _check_run_id(request: StartRequest, existing: TrainingSession | None, results_dir: Path, errors: _Errors) -> None:
    if existing is None:
        has_results = (results_dir / request.run_id).is_dir()
        if request.resume and not has_results:
            errors.add("resume", f"There is nothing to resume under the run id {request.run_id}.")
        if has_results and not (request.resume or request.force):
            errors.add(
                "run_id",
                f"{results_dir / request.run_id} already holds results.",
                "Resume it, or choose another run id.",
            )
        return
    if existing.origin == "imported":
        errors.add(
            "run_id",
            f"The run id {existing.run_id} belongs to a session that was imported.",
            "Choose another. To train on from what it saved, initialize from it.",
        )
    elif existing.trashed_at is not None:
        errors.add("run_id", f"The run id {request.run_id} belongs to a session in the trash.")
    elif existing.archived_at is not None:
        errors.add("run_id", f"The run id {request.run_id} belongs to a session in the archive.")
    elif not (request.resume or request.force):
        errors.add("run_id", f"The run id {request.run_id} is taken.", "Choose another, or resume that session.")
    elif State(existing.state) not in ENDED:
        raise Conflict(f"{existing.run_id} has not ended, so it cannot be started again.", hint="Stop it first.")
    elif existing.run_id != request.run_id:
        errors.add("run_id", f"The session is written {existing.run_id}.")
    elif request.resume and checkpoints_are_gone(existing):
        errors.add("resume", f"The checkpoints of {existing.run_id} are no longer there.", GONE)


def _initialize_from(
    request: StartRequest,
    options: dict[str, Any],
    number: int,
    known: tuple[Config | None, Trainer | None],
    errors: _Errors,
    *,
    by: User,
) -> list[Chosen]:
    """Say in the options whose networks the training begins with; returns those that are to be laid ready for it."""
    if not request.initialize_from:
        return []
    try:
        folder, chosen = initializing.networks_of(
            request.initialize_from, run_id=request.run_id, number=number, known=known, by=by
        )
    except InvalidInput as error:
        errors.add("initialize_from", error.detail, error.hint)
        return []
    options["initialize_from"] = folder
    return chosen


def _asked(request: StartRequest, config: Config) -> dict[str, Any]:
    """What a request says of the options that stand in its configuration too."""
    return {name: getattr(request, name, None) for name in config.defaults}


def next_attempt_number(session: TrainingSession | None) -> int:
    if session is None:
        return 1
    return (session.attempts.order_by("-number").values_list("number", flat=True).first() or 0) + 1
