"""What MENTOR can do about a cause: changes to the request with which the session is started again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Remedy:
    """A button: what it says, and what it changes of the request.

    `way` is how: resume, force, anew (under another run id), earlier (from the checkpoint before the last), rename (the
    behavior nearest to the name in `changes`), or edit, which a person does. `settings` are changed for every behavior.
    """

    id: str
    label: str
    way: str = "force"
    changes: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def told(self, words: Mapping[str, str]) -> Remedy:
        """Return it with the words that a console told put in the places of their names."""
        changes = {name: _put(value, words) for name, value in self.changes.items()}
        return replace(self, label=_put(self.label, words), changes=changes)


def _put(value: Any, words: Mapping[str, str]) -> Any:
    """A label and a name of a behavior; anything may stand in either."""
    if not isinstance(value, str):
        return value
    for name, word in words.items():
        value = value.replace(f"{{{name}}}", word)
    return value


REMEDIES = {
    one.id: one
    for one in (
        Remedy("again", "Start again"),
        Remedy("port", "Start again on another port"),
        Remedy("resume", "Resume from the last checkpoint", way="resume"),
        Remedy("earlier", "Resume from the checkpoint before the last", way="earlier"),
        Remedy("anew", "Start under another run id", way="anew"),
        Remedy("no_graphics", "Start again without graphics", changes={"no_graphics": True}),
        Remedy("patience", "Start again and wait five minutes for Unity", changes={"timeout_wait": PATIENCE_SECONDS}),
        Remedy("cpu", "Start again on the CPU", changes={"device": "cpu"}),
        Remedy("one_environment", "Start again with one environment", changes={"num_envs": 1}),
        Remedy(
            "small_images",
            "Start again with the encoder for small images",
            settings={"network_settings.vis_encode_type": "match3"},
        ),
        Remedy("rename", "Call the behavior {b} and start again", way="rename", changes={"behavior": "{b}"}),
        Remedy("edit", "Correct the configuration and start again", way="edit"),
    )
}
