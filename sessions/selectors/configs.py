"""What is to say about configurations, without storing or starting anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from sessions.domain.config_comparison import compare
from sessions.domain.configuration.common import Group, common_settings
from sessions.domain.configuration.presets import PRESETS
from sessions.domain.configuration.validation import Beside, Validation, validate
from sessions.domain.configuration.writing import with_setting
from sessions.domain.yaml_tree import ConfigError, parse
from sessions.errors import InvalidInput, Missing
from sessions.selectors.sessions import User, visible_sessions

EARLIER_OFFERED = 100
# The words of a comparison with what was used, for a comparison with what was before.
KINDS = {"changed": "changed", "added": "added", "unused": "removed"}


@dataclass(frozen=True)
class Difference:
    """One setting that is another than before. `kind`: changed, added or removed."""

    path: str
    before: str
    now: str
    kind: str


def validation_of(data: bytes, *, name: str = "", version: str = "", beside: Sequence[Beside] = ()) -> Validation:
    """Return everything that is known of a text as a configuration.

    `name` is that of its file, if it has one; `version` that of the trainer it is for, when it is not 1.1.0; `beside`
    the curricula and samplers that stood in files of their own until 0.16.
    """
    plugins = settings.MENTOR["MENTOR_PLUGIN_TRAINERS"]
    return validate(data, plugins=plugins, behavior=Path(name).stem, version=version, beside=beside)


def common_of(text: str, change: Mapping[str, Any] | None = None) -> tuple[str, list[Group]]:
    """Return a text, with one setting changed if that is asked, and its common settings.

    A text that cannot be read, as most while they are typed, has none. Raises InvalidInput when it cannot be changed.
    """
    try:
        if change is not None:
            text = with_setting(text, tuple(change["path"]), change["value"])
        return text, common_settings(text)
    except ConfigError as error:
        if change is None:
            return text, []
        raise _refusal(error) from error


def differences_to(earlier: bytes, text: str) -> list[Difference]:
    """Return the settings of a text that are others than those of an earlier one; raises InvalidInput."""
    try:
        now = parse(text.encode("utf-8", "surrogatepass")).tree
        before = parse(earlier).tree
    except ConfigError as error:
        raise _refusal(error) from error
    return between(_of_the_same_behavior(before, now), now)


def _of_the_same_behavior(before: Any, now: Any) -> Any:
    """A tree with the name of its only behavior as in another tree that has only one: their settings are compared."""
    names = [list(tree["behaviors"]) if _has_behaviors(tree) else [] for tree in (before, now)]
    if [len(one) for one in names] != [1, 1]:
        return before
    return {**before, "behaviors": {names[1][0]: before["behaviors"][names[0][0]]}}


def _has_behaviors(tree: Any) -> bool:
    return isinstance(tree, Mapping) and isinstance(tree.get("behaviors"), Mapping)


def preset_named(name: str) -> bytes:
    """Return the text of a usual starting point; raises Missing."""
    found = next((preset for preset in PRESETS if preset.name == name), None)
    if found is None:
        raise Missing(f"There is no preset {name}.")
    return found.config.encode()


def between(before: Any, now: Any) -> list[Difference]:
    """Return the settings of two trees of configuration that differ."""
    found = compare(before, now)
    return [Difference(one.path, one.given, one.used, KINDS[one.kind]) for one in found if one.kind in KINDS]


def earlier_run_ids(user: User) -> list[str]:
    """Return the run ids of the newest sessions whose configurations may be taken over."""
    found = visible_sessions(user).filter(trashed_at__isnull=True).exclude(config_used=b"")
    return list(found.order_by("-created_at").values_list("run_id", flat=True)[:EARLIER_OFFERED])


def _refusal(error: ConfigError) -> InvalidInput:
    told = f"Line {error.line}: {error.message}" if error.line else error.message
    return InvalidInput(told, hint=error.hint, errors={"config": [told]})
