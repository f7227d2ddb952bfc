"""What MENTOR can do about a cause: changes to the request with which the session is started again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Remedy:
    """A button: what it says, and what it changes of the request. `way` is how: resume, force or anew."""

    id: str
    label: str
    way: str = "force"
    changes: Mapping[str, Any] = field(default_factory=dict)


REMEDIES = {
    one.id: one
    for one in (
        Remedy("again", "Start again"),
        Remedy("resume", "Resume from the last checkpoint", way="resume"),
        Remedy("anew", "Start under another run id", way="anew"),
        Remedy("no_graphics", "Start again without graphics", changes={"no_graphics": True}),
        Remedy("patience", "Start again and wait five minutes for Unity", changes={"timeout_wait": 300}),
        Remedy("cpu", "Start again on the CPU", changes={"device": "cpu"}),
        Remedy("one_environment", "Start again with one environment", changes={"num_envs": 1}),
        Remedy("edit", "Correct the configuration and start again", way="edit"),
    )
}
