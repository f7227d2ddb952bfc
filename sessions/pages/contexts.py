"""What each page is given, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from sessions.domain.configuration.presets import Preset
from sessions.domain.diagnosis.explain import Diagnosis
from sessions.domain.health import Finding
from sessions.models import HealthFinding, KeptConfig
from sessions.selectors.advice import AdviceShape
from sessions.selectors.checkpoints import CheckpointShape, FileShape
from sessions.selectors.evaluations import EvaluationShape
from sessions.selectors.history import Choice
from sessions.selectors.imports import SourceShape
from sessions.selectors.inspections import ModelShape
from sessions.selectors.machine import SystemShape
from sessions.selectors.shapes import EnvironmentShape, SessionDetailShape, SessionShape, TrainerShape
from sessions.selectors.trials import TrialShape
from sessions.services.preflight import Preflight

if TYPE_CHECKING:
    from django.core.paginator import Page

    from sessions.pages.forms import StartForm
    from sessions.pages.rules_form import RulesForm


LIST_FILTERS = (
    *("state", "behavior", "text", "order", "project", "tag", "trainer", "environment"),
    *("created_after", "created_before", "archived", "trash"),
)


@dataclass(frozen=True)
class EventRow:
    """One change of state."""

    at: datetime
    from_state: str
    to_state: str
    who: str
    why: str


@dataclass(frozen=True)
class DashboardPage:
    """What trains, what waits, what is paused, what ended last."""

    template: ClassVar[str] = "sessions/dashboard.html"
    running: list[SessionShape]
    waiting: list[SessionShape]
    paused: list[SessionShape]
    ended: list[SessionShape]
    system: SystemShape


@dataclass(frozen=True)
class QueuePage:
    """What waits, in its order, and what holds the slots it waits for."""

    template: ClassVar[str] = "sessions/queue.html"
    waiting: list[SessionShape]
    running: list[SessionShape]
    system: SystemShape


@dataclass(frozen=True)
class SessionListPage:
    """The history: filtered, ordered, one page of it."""

    template: ClassVar[str] = "sessions/list.html"
    sessions: list[SessionShape]
    page: Page[Any]
    filters: dict[str, str] = field(metadata={"help": "Each of LIST_FILTERS as it was asked for."})
    states: list[str]
    behaviors: list[str]
    projects: list[Choice]
    trainers: list[str]
    environments: list[str]
    orders: list[tuple[str, str]] = field(metadata={"help": "Pairs of order key and label."})
    query: str = field(metadata={"help": "The filters as a query string, without page, to build links."})
    system: SystemShape


@dataclass(frozen=True)
class SessionPage:
    """One session: its state, its curves so far, its console, its files."""

    template: ClassVar[str] = "sessions/detail.html"
    session: SessionDetailShape
    live: dict[str, Any] = field(
        metadata={
            "help": "For the page's module: session, socket path, points, series, marks, log attempt/offset/next."
        }
    )
    log_text: str = field(metadata={"help": "The last part of the console, whole lines."})
    log_offset: int = field(metadata={"help": "Byte offset at which `log_text` begins."})
    log_next: int = field(metadata={"help": "Byte offset up to which the console is already on the page."})
    events: list[EventRow]
    checkpoints: list[CheckpointShape]
    evaluations: list[EvaluationShape]
    environments: list[EnvironmentShape] = field(metadata={"help": "Builds in which a checkpoint may be evaluated."})
    models: list[ModelShape]
    other_files: list[FileShape] = field(metadata={"help": "Those without a step, such as what a resume reads."})
    keeping: str = field(metadata={"help": "Which checkpoints are kept, in words."})
    config_used: str
    config_given: str | None = field(metadata={"help": "None when the configuration was used as it was given."})
    command_shell: str
    awaitable: list[str] = field(metadata={"help": "Run ids of sessions after whose end this one could be resumed."})
    rules_form: RulesForm
    troubles: list[Finding] = field(metadata={"help": "What the curves tell of while it trains."})
    noticed: list[HealthFinding] = field(metadata={"help": "What they told of at any time, the first first."})
    advice: AdviceShape = field(metadata={"help": "What would make it faster."})
    trials: list[TrialShape] = field(metadata={"help": "Trials of settings that were asked for from here."})
    diagnosis: Diagnosis | None = field(metadata={"help": "Of the latest attempt, when it ended badly."})
    source: SourceShape | None = field(metadata={"help": "Where an imported session was found."})
    system: SystemShape


@dataclass(frozen=True)
class StartPage:
    """The start form, with what the trainer will be told."""

    template: ClassVar[str] = "sessions/new.html"
    form: StartForm
    command_shell: str | None
    notices: list[str]
    checks: Preflight = field(metadata={"help": "What was looked at; nothing before there is a plan."})
    behaviors: list[dict[str, Any]] = field(
        metadata={"help": "Once a configuration was read: name, max_steps, learning_rate and the typed overrides."}
    )
    rules_open: bool = field(metadata={"help": "Whether a rule is filled in."})
    presets: tuple[Preset, ...]
    earlier: list[str] = field(metadata={"help": "Run ids whose configurations may be taken over."})
    kept: list[KeptConfig] = field(metadata={"help": "The newest version of every named configuration."})
    all_kept: list[KeptConfig] = field(metadata={"help": "Every version of them, newest first."})
    trainers: list[TrainerShape]
    environments: list[EnvironmentShape]
    system: SystemShape


@dataclass(frozen=True)
class TrainersPage:
    """Installations that can train."""

    template: ClassVar[str] = "sessions/trainers.html"
    trainers: list[TrainerShape]
    errors: dict[str, list[str]]
    values: dict[str, str]
    system: SystemShape


@dataclass(frozen=True)
class CheckpointsPage:
    """Checkpoints from outside that a training can begin with."""

    template: ClassVar[str] = "sessions/checkpoints.html"
    checkpoints: list[dict[str, Any]]
    errors: dict[str, list[str]]
    values: dict[str, str]
    system: SystemShape


@dataclass(frozen=True)
class EnvironmentsPage:
    """Builds that may be started."""

    template: ClassVar[str] = "sessions/environments.html"
    environments: list[EnvironmentShape]
    errors: dict[str, list[str]]
    values: dict[str, str]
    system: SystemShape


@dataclass(frozen=True)
class TrialsPage:
    """The newest trials of settings."""

    template: ClassVar[str] = "sessions/trials.html"
    trials: list[TrialShape]
    system: SystemShape


@dataclass(frozen=True)
class TrialPage:
    """One trial of settings, as far as it is."""

    template: ClassVar[str] = "sessions/trial.html"
    trial: TrialShape
    may_stop: bool
    system: SystemShape
