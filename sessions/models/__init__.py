"""Data and its constraints. What may be changed by whom is in `sessions.services`."""

from sessions.models.keeping import Removal, RetentionPolicy
from sessions.models.machine import Environment, Machine, PortLease, SignInLink, Trainer
from sessions.models.series import BehaviorProgress, EventFile, Series, SeriesChunk
from sessions.models.session import Artifact, Attempt, SessionEvent, TrainingSession

__all__ = [
    "Artifact",
    "Attempt",
    "BehaviorProgress",
    "Environment",
    "EventFile",
    "Machine",
    "PortLease",
    "Removal",
    "RetentionPolicy",
    "Series",
    "SeriesChunk",
    "SessionEvent",
    "SignInLink",
    "Trainer",
    "TrainingSession",
]
