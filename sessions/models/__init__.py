"""Data and its constraints. What may be changed by whom is in `sessions.services`."""

from sessions.models.distributions import Histogram, Text
from sessions.models.imports import Import, ImportedRun
from sessions.models.machine import Environment, Machine, PortLease, SignInLink, Trainer
from sessions.models.series import BehaviorProgress, EventFile, Series, SeriesChunk
from sessions.models.session import Artifact, Attempt, SessionEvent, TrainingSession

__all__ = [
    "Artifact",
    "Attempt",
    "BehaviorProgress",
    "Environment",
    "EventFile",
    "Histogram",
    "Import",
    "ImportedRun",
    "Machine",
    "PortLease",
    "Series",
    "SeriesChunk",
    "SessionEvent",
    "SignInLink",
    "Text",
    "Trainer",
    "TrainingSession",
]
