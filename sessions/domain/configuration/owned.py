"""Settings that name programs, folders and ports: in MENTOR they are fields of the session, never taken unseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sessions.domain.configuration import table, values
from sessions.domain.configuration.checking import Notes

# By section and key: the field of a start that takes the value when the start leaves it open. Without one the value is
# told, and not used.
FIELDS = {
    ("env_settings", "env_path"): "env_path",
    ("env_settings", "env_args"): "env_args",
    ("checkpoint_settings", "initialize_from"): "initialize_from",
}
_TOLD = {
    ("env_settings", "base_port"): "MENTOR chooses ports that are free.",
    ("checkpoint_settings", "run_id"): "The run id of the session counts.",
    ("checkpoint_settings", "results_dir"): "MENTOR keeps results in its own folder, or in MENTOR_RESULTS_DIR.",
    ("checkpoint_settings", "resume"): "Resume the session, or choose Resume when you start.",
    ("checkpoint_settings", "load_model"): "Resume the session, or choose Resume when you start.",
    ("checkpoint_settings", "force"): "Choose Force when you start.",
    ("checkpoint_settings", "inference"): "MENTOR only trains.",
    ("checkpoint_settings", "train_model"): "It has no meaning any more.",
}
_TAKEN = "MENTOR takes it over into the field of the session, unless another is given there."


def owned(tree: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """Return what a configuration says about things that MENTOR decides, where it differs from ML-Agents' default."""
    found = {}
    for name, key_name in (*FIELDS, *_TOLD):
        given = tree.get(name)
        key = table.SECTIONS[name].get(key_name)
        if isinstance(given, Mapping) and key_name in given and key is not None:
            reading = values.read(key, given[key_name])
            if reading is not None and reading.value != key.default:
                found[name, key_name] = reading.value
    return found


def tell(notes: Notes, tree: Mapping[str, Any]) -> None:
    """Note each of them as a warning."""
    for place in owned(tree):
        notes.warn(f"{place[1]} is a field of the session.", *place, hint=_TOLD.get(place, _TAKEN))
