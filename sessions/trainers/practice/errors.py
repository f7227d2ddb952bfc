"""mlagents' own exceptions, under its own names, so that a traceback ends as it does there."""

from __future__ import annotations


class TrainerConfigError(Exception):
    """The configuration or an option cannot be used."""

    __module__ = "mlagents.trainers.exception"


class TrainerError(Exception):
    """What an earlier attempt left cannot be used."""

    __module__ = "mlagents.trainers.exception"


class UnityTrainerException(Exception):
    """The results folder does not fit what was asked for."""

    __module__ = "mlagents.trainers.exception"


class UnityEnvironmentException(Exception):
    """The environment is missing or broke."""

    __module__ = "mlagents_envs.exception"


class UnityTimeOutException(Exception):
    """Nobody pressed Play in time."""

    __module__ = "mlagents_envs.exception"
