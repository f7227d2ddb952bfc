"""Data and its constraints. What may be changed by whom is in `sessions.services`."""

from sessions.models.distributions import Histogram, Text
from sessions.models.evaluation import Evaluation, EvaluationRun, ModelInspection
from sessions.models.health import HealthFinding
from sessions.models.imports import Import, ImportedRun
from sessions.models.keeping import Removal, RetentionPolicy
from sessions.models.library import KeptConfig
from sessions.models.machine import Environment, Machine, OutsideCheckpoint, PortLease, SignInLink, Trainer
from sessions.models.preflight import Connection, ParserVerdict
from sessions.models.series import BehaviorProgress, EventFile, Series, SeriesChunk
from sessions.models.session import Artifact, Attempt, SessionEvent, TrainingSession
from sessions.models.teaching import TaughtCause
from sessions.models.trial import Trial, TrialRun

__all__ = [
    "Artifact",
    "Attempt",
    "BehaviorProgress",
    "Connection",
    "Environment",
    "Evaluation",
    "EvaluationRun",
    "EventFile",
    "HealthFinding",
    "Histogram",
    "Import",
    "ImportedRun",
    "KeptConfig",
    "Machine",
    "ModelInspection",
    "OutsideCheckpoint",
    "ParserVerdict",
    "PortLease",
    "Removal",
    "RetentionPolicy",
    "Series",
    "SeriesChunk",
    "SessionEvent",
    "SignInLink",
    "TaughtCause",
    "Text",
    "Trainer",
    "TrainingSession",
    "Trial",
    "TrialRun",
]
