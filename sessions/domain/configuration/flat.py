"""Behaviors as they were written until 0.16: all settings side by side, and what all share under `default`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sessions.domain.configuration import table, values
from sessions.domain.configuration.checking import Checker, Notes
from sessions.domain.configuration.names import misspelt, suggestion
from sessions.domain.configuration.schema import Key, Kind, Section
from sessions.domain.yaml_tree import TreePath

FOR_ALL_OTHERS = (
    "Until 0.16 behaviors that the file does not name were trained with default; 1.1.0 wants each under behaviors."
)
IMITATION = ("online_bc", "offline_bc", "imitation")
_LONGEST_REMARK = 1000
# From one section to the next; nobody had more than one.
_MOST_REFERENCES = 10
# What became of a name when it was changed later.
_RENAMED = {"trainer": "trainer_type", "pretraining": "behavioral_cloning"}
_SELF_PLAY = {"play_against_current_self_ratio": "play_against_latest_model_ratio",
              "play_against_current_best_ratio": "play_against_latest_model_ratio"}  # fmt: skip
# Read where their section is made, or of no use any more.
_READ_ELSEWHERE = {key.name: key for key in (
    Key("use_recurrent", Kind.TRUTH, False, ""), *table.MEMORY.keys,
    Key("num_update", Kind.NUMBER, 1, "", limits=table.POSITIVE),
    Key("train_interval", Kind.NUMBER, 1, "", limits=table.POSITIVE),
    Key("reward_signal_num_update", Kind.NUMBER, 1, "", limits=table.POSITIVE),
    Key("gamma", Kind.NUMBER, 0.99, "How much later rewards count.", sound=table.SHARE),
    Key("use_curiosity", Kind.TRUTH, False, ""), Key("curiosity_strength", Kind.NUMBER, 0.01, ""),
    Key("curiosity_enc_size", Kind.WHOLE, 128, "", limits=table.COUNT), Key("demo_path", Kind.TEXT, None, ""),
)}  # fmt: skip
# Of reward signals, of no use any more.
_OLD_IN_SIGNALS = (
    Key("samples_per_update", Kind.WHOLE, 0, "", limits=table.FROM_ZERO),
    Key("num_epoch", Kind.WHOLE, 3, ""),
)
_GONE = {
    "brain_to_imitate": "Record a demonstration of it and name that in demo_path.", "batches_per_epoch": "",
    "summary_path": "", "model_path": "", "output_path": "", "keep_prob": "", "epochs_per_update": "",
    "is_training": "", "use_depth": "", "num_lstm_layers": "",
}  # fmt: skip


@dataclass
class FlatUpgrade:
    """Turns the sections of one file into behaviors, and notes at each key what becomes of it.

    Texts in `remarks` say what a person should know of the result. `within` is where the sections stand in the file.
    """

    notes: Notes
    remarks: list[str] = field(default_factory=list)
    within: TreePath = ()

    def behaviors(self, tree: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the document for 1.1.0."""
        default = tree.get("default")
        default = default if isinstance(default, Mapping) else {}
        if "default" not in tree:
            self._misspelt_default(tree)
        named = {str(name): self._own(tree, name) for name in tree if name != "default"}
        with_settings = {str(name) for name in tree if isinstance(tree[name], Mapping)}
        self._check("default", default)
        upgraded: dict[str, Any] = {}
        used: set[Any] = set()
        for name, own in named.items():
            self.notes.odd_name(name, (*self.within, name))
            if own is not None and not self.notes.is_full:
                given = {**default, **own}
                upgraded[name] = self.behavior(given)
                used |= _used(given) | own.keys()
                if name in with_settings:
                    self._check(name, own)
                    self._tell_unused(name, own, _used(given), str(upgraded[name]["trainer_type"]))
        if not upgraded:
            upgraded_default = self.behavior(default)
            self._tell_unused("default", default, _used(default), str(upgraded_default["trainer_type"]))
            return {"default_settings": upgraded_default}
        if default:
            self._tell_unused("default", default, used, "these behaviors")
            self._remark(FOR_ALL_OTHERS)
            owns = [own for own in named.values() if own is not None]
            otherwise = [str(name) for name in default if all(name in own for own in owns)]
            if otherwise:
                self._remark(f"Every behavior sets otherwise than default: {', '.join(otherwise)[:_LONGEST_REMARK]}.")
        return {"behaviors": upgraded}

    def _tell_unused(self, name: str, given: Mapping[Any, Any], used: Collection[Any], trainer: str) -> None:
        """Note the settings that nothing was made of, so that none is lost without a word."""
        for key_name in given:
            if key_name in used or _key_of(key_name) is None:
                continue
            memory = table.MEMORY.get(key_name) is not None
            why = "without use_recurrent: true" if memory else f"for {trainer}"
            message = f"{key_name} has no effect {why}; the upgrade leaves it out."
            self.notes.warn(
                message, *self.within, name, str(key_name), hint="Delete it, or look whether it was meant otherwise."
            )

    def _misspelt_default(self, tree: Mapping[Any, Any]) -> None:
        name = next((str(name) for name in tree if suggestion(str(name), ["default"]).startswith("Did")), None)
        if name is not None:
            self.notes.warn(f"{name} is taken for a behavior.", *self.within, name, hint="Did you mean default?")

    def _own(self, tree: Mapping[Any, Any], name: Any) -> Mapping[Any, Any] | None:
        """The section of a behavior; until 0.16 one could also name that of another behavior."""
        own, seen = tree[name], {name}
        while isinstance(own, str) and own in tree and own not in seen and len(seen) < _MOST_REFERENCES:
            seen.add(own)
            own = tree[own]
        if isinstance(own, Mapping):
            return own
        message = f"{name} must have its settings indented under it."
        self.notes.error(message, *self.within, str(name), at_value=isinstance(own, str))
        return None

    def _check(self, name: str, own: Mapping[Any, Any]) -> None:
        checker = Checker(self.notes, plugins=None)
        for key_name, value in own.items():
            if self.notes.is_full:
                return
            path = (*self.within, name, str(key_name))
            key = _key_of(key_name)
            if key is not None:
                checker.value(key, value, path)
            elif key_name in _GONE:
                hint = _GONE[key_name] or "It has no successor."
                self.notes.warn(f"{key_name} went out of use; the upgrade leaves it out.", *path, hint=hint)
            elif key_name == "reward_signals":
                self._signals(value, path)
            elif key_name in ("behavioral_cloning", "pretraining", "self_play"):
                self._subsection(key_name, value, path)
            elif key_name == "trainer":
                if value not in ("ppo", "sac", *IMITATION):
                    self.notes.error(
                        f"There was no trainer {value}.", *path, hint=suggestion(str(value), ("ppo", "sac"))
                    )
            else:
                hint = suggestion(str(key_name), known_keys())
                self.notes.warn(
                    f"{key_name} was no setting of ML-Agents 0.16; the upgrade leaves it out.", *path, hint=hint
                )

    def _signals(self, value: Any, path: TreePath) -> None:
        if not isinstance(value, Mapping):
            self.notes.error(
                f"{path[-1]} must have its settings indented under it.", *path, at_value=isinstance(value, str)
            )
            return
        for name, settings in value.items():
            section = table.SIGNALS.get(name) if isinstance(name, str) else None
            if section is None:
                hint = suggestion(str(name), ("extrinsic", "curiosity", "gail"))
                self.notes.error(f"{name} is no reward signal.", *path, str(name), hint=hint)
            else:
                self._keys(section, settings, (*path, name), also=_OLD_IN_SIGNALS)

    def _subsection(self, name: Any, value: Any, path: TreePath) -> None:
        section = table.SELF_PLAY if name == "self_play" else table.CLONING
        ratio = table.SELF_PLAY.get("play_against_latest_model_ratio")
        renamed = tuple(replace(ratio, name=old) for old in _SELF_PLAY) if ratio and name == "self_play" else ()
        self._keys(section, value, path, also=renamed)

    def _keys(self, section: Section, given: Any, path: TreePath, *, also: tuple[Key, ...]) -> None:
        if not isinstance(given, Mapping):
            self.notes.error(
                f"{path[-1]} must have its settings indented under it.", *path, at_value=isinstance(given, str)
            )
            return
        checker = Checker(self.notes, plugins=None)
        for name, value in given.items():
            key = section.get(name) or next((one for one in also if one.name == name), None)
            if key is not None:
                checker.value(replace(key, until=""), value, (*path, str(name)))
            if key in _OLD_IN_SIGNALS:
                message = f"{name} of a reward signal went out of use; the upgrade leaves it out."
                self.notes.warn(message, *path, str(name), hint="It has no successor.")
            elif key is not None:
                self._same_size(name, given, path)
            else:
                hint = suggestion(str(name), section.names)
                self.notes.warn(
                    f"{name} was no setting of {path[-1]}; the upgrade leaves it out.", *path, str(name), hint=hint
                )
        for key in section.keys:
            if key.required and key.name not in given:
                spelt = misspelt(key.name, given, section)
                where = path if spelt is None else (*path, str(spelt))
                self.notes.error(f"{key.name} is missing.", *where, hint=key.help)

    def _same_size(self, name: Any, given: Mapping[Any, Any], path: TreePath) -> None:
        if name == "encoding_size" and isinstance(given.get("network_settings"), Mapping):
            self.notes.warn("encoding_size has no effect beside network_settings.", *path, str(name))

    def behavior(self, given: Mapping[Any, Any]) -> dict[str, Any]:
        """Return one behavior of 1.1.0 made of flat settings, those of `default` included."""
        trainer = self._trainer(given)
        section = table.HYPERPARAMETERS[trainer]
        made: dict[str, Any] = {"trainer_type": trainer}
        made["hyperparameters"] = _taken(section, given) | (_sac_rates(given) if trainer == "sac" else {})
        made["network_settings"] = _taken(table.NETWORK, given) | self._memory(given, made["hyperparameters"], section)
        made["reward_signals"] = signals(given)
        made |= {name: value for name, value in _taken(table.BEHAVIOR, given).items() if name != "trainer_type"}
        cloning = given.get("behavioral_cloning", given.get("pretraining"))
        if given.get("trainer") == "offline_bc" and "demo_path" in given:
            cloning = {"demo_path": given["demo_path"], "strength": 1.0, "steps": 0}
        if isinstance(cloning, Mapping):
            made["behavioral_cloning"] = _taken(table.CLONING, cloning)
        if isinstance(given.get("self_play"), Mapping):
            renamed = {_SELF_PLAY.get(str(name), name): value for name, value in given["self_play"].items()}
            made["self_play"] = _taken(table.SELF_PLAY, renamed)
        return {name: value for name, value in made.items() if value not in ({}, None)}

    def _trainer(self, given: Mapping[Any, Any]) -> str:
        trainer = given.get("trainer", "ppo")
        if trainer in ("ppo", "sac"):
            return str(trainer)
        if trainer in IMITATION:
            self._remark(
                f"The trainer {trainer} is gone. ppo with behavioral_cloning or the reward signal gail learns from a "
                "recorded demonstration."
            )
        else:
            self._remark(f"There is no trainer {trainer} any more; this upgrade uses ppo.")
        return "ppo"

    def _memory(self, given: Mapping[Any, Any], hyperparameters: Mapping[str, Any], section: Section) -> dict[str, Any]:
        if given.get("use_recurrent") is not True:
            return {}
        length, size = values.as_int(given.get("sequence_length", 64)), values.as_int(given.get("memory_size", 128))
        batch_key = section.get("batch_size")
        batch = hyperparameters.get("batch_size", batch_key.default if batch_key else None)
        length, size = max(1, length or 64), max(2, size or 128)
        if batch and length > batch:
            self._remark("sequence_length was larger than batch_size, which 1.1.0 refuses; it is now as large.")
            length = batch
        if size % 2:
            self._remark("memory_size was odd, which 1.1.0 refuses; it is now one more.")
        return {"memory": {"sequence_length": length, "memory_size": size + size % 2}}

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)


def _used(given: Mapping[Any, Any]) -> set[Any]:
    """The flat settings that something of 1.1.0 is made of."""
    trainer = given.get("trainer")
    section = table.HYPERPARAMETERS["sac" if trainer == "sac" else "ppo"]
    used = {
        "trainer",
        "use_recurrent",
        "use_curiosity",
        "reward_signals",
        "behavioral_cloning",
        "pretraining",
        "self_play",
    }
    used |= {*section.names, *table.NETWORK.names, *table.BEHAVIOR.names}
    if given.get("use_recurrent") is True:
        used |= {*table.MEMORY.names}
    if given.get("use_curiosity") is True:
        used |= {"curiosity_strength", "curiosity_enc_size"}
    if not given.get("reward_signals"):
        used.add("gamma")
    if trainer == "offline_bc":
        used.add("demo_path")
    if trainer == "sac":
        used |= {"train_interval", "num_update", "reward_signal_num_update"}
    return used


def signals(given: Mapping[Any, Any]) -> dict[str, Any]:
    """Return reward signals for 1.1.0: `encoding_size` becomes a network, and gamma of the very old ones a signal's."""
    old = given.get("reward_signals")
    old = dict(old) if isinstance(old, Mapping) else {}
    if not old and "gamma" in given:
        old["extrinsic"] = {"strength": 1.0, "gamma": given["gamma"]}
    if given.get("use_curiosity") is True:
        old.setdefault("extrinsic", {"strength": 1.0})
        names = {"curiosity_strength": "strength", "curiosity_enc_size": "encoding_size"}
        old["curiosity"] = {new: given[name] for name, new in names.items() if name in given}
    return {
        name: signal(table.SIGNALS[name], settings)
        for name, settings in old.items()
        if name in table.SIGNALS and isinstance(settings, Mapping)
    }


def signal(section: Section, given: Mapping[Any, Any]) -> dict[str, Any]:
    """Return one reward signal for 1.1.0."""
    made = _taken(section, given)
    size = values.as_int(made.pop("encoding_size", None))
    network = given.get("network_settings")
    if isinstance(network, Mapping):
        made["network_settings"] = dict(network)
    elif size:
        made["network_settings"] = {"hidden_units": size}
    return made


def _taken(section: Section, given: Mapping[Any, Any]) -> dict[str, Any]:
    """The scalars of a section that stand in flat settings, as their values mean them."""
    made = {}
    for key in section.keys:
        if key.name not in given or key.kind not in _SCALARS:
            continue
        value = given[key.name]
        if key.kind is Kind.CHOICE:
            made[key.name] = value
            continue
        reading = values.read(key, value)
        if reading is None and key.kind is Kind.WHOLE:  # 1e4 is text to YAML
            number = values.as_float(value)
            reading = values.Reading(int(number)) if number is not None and abs(number) < table.MAX_COUNT else None
        if reading is not None:
            made[key.name] = reading.value
    return made


def _sac_rates(given: Mapping[Any, Any]) -> dict[str, Any]:
    """Until 0.15 sac said how many updates follow how many steps; now it is the quotient."""
    every = values.as_float(given.get("train_interval", 1)) or 1.0
    made = {}
    for old, new in (
        ("num_update", "steps_per_update"),
        ("reward_signal_num_update", "reward_signal_steps_per_update"),
    ):
        updates = values.as_float(given.get(old))
        if new not in given and updates and updates > 0 and every > 0 and every / updates != 1:
            made[new] = every / updates
    return made


_SCALARS = (Kind.WHOLE, Kind.STEPS, Kind.NUMBER, Kind.TRUTH, Kind.TEXT, Kind.CHOICE)


def _key_of(name: Any) -> Key | None:
    """The present setting that a flat one became, if its value is checked like that one's."""
    if not isinstance(name, str):
        return None
    for known in (table.ALL_HYPERPARAMETERS.get(name), table.NETWORK.get(name), table.BEHAVIOR.get(name)):
        if known is not None and known.kind in _SCALARS and not known.until:
            return known
    return _READ_ELSEWHERE.get(name)


def known_keys() -> list[str]:
    """Everything a flat section could hold."""
    scalars = [key.name for section in (table.BEHAVIOR, table.NETWORK) for key in section.keys if key.kind in _SCALARS]
    return [
        *table.ALL_HYPERPARAMETERS, *scalars, *_READ_ELSEWHERE, *_GONE, *_RENAMED, "reward_signals",
        "behavioral_cloning", "self_play",
    ]  # fmt: skip
