"""What settings mean together: trainer and hyperparameters, batch and buffer, intervals and the length of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sessions.domain.configuration import table, values
from sessions.domain.configuration.checking import Checker, Notes
from sessions.domain.configuration.names import key_hint, meant, misspelt
from sessions.domain.configuration.schema import Section
from sessions.domain.yaml_tree import TreePath

FEW_POINTS = 10
MANY_POINTS = 50_000
ON_POLICY = ("ppo", "poca")
# The part of a buffer that may be lost to a batch size that does not divide it before that is worth a word.
LOST_PART = 0.1
# What is near to a name of ML-Agents' own in its sample of a plugin.
_OF_DQN = ("exploration_schedule", "target_update_interval")


def effective(defaults: Any, given: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a behavior's settings with default_settings under them, as ML-Agents merges them: mapping by mapping.

    With default_settings, the defaults of their trainer's hyperparameters are under them too.
    """
    merged: dict[str, Any] = {}
    if isinstance(defaults, Mapping):
        merged = dict(defaults)
        merged.setdefault("trainer_type", "ppo")
        merged.setdefault("reward_signals", {"extrinsic": {}})
        section = hyperparameters_of(merged)
        inherited = merged.get("hyperparameters")
        if section is not None and (inherited is None or isinstance(inherited, Mapping)):
            usual = {key.name: _default(section, key.name) for key in section.keys}
            merged["hyperparameters"] = {**usual, **(inherited or {})}
    _update(merged, given)
    return merged


def hyperparameters_of(settings: Mapping[Any, Any]) -> Section | None:
    """Return the section of the trainer's hyperparameters; None for a trainer that ML-Agents does not bring."""
    trainer = settings.get("trainer_type", "ppo")
    return table.HYPERPARAMETERS.get(trainer) if isinstance(trainer, str) else None


def number_of(settings: Mapping[Any, Any], name: str) -> Any:
    """Return a number of a behavior as the trainer gets it, or ML-Agents' default; None for what cannot be read."""
    key = table.BEHAVIOR.get(name)
    holder: Any = settings
    if key is None:
        section = hyperparameters_of(settings)
        key = (section.get(name) if section else None) or table.ALL_HYPERPARAMETERS[name]
        holder = settings.get("hyperparameters") or {}
        if section is None and (not isinstance(holder, Mapping) or name not in holder):
            return None
    if not isinstance(holder, Mapping):
        return None
    reading = values.read(key, holder.get(name, key.default))
    return reading.value if reading else None


def _default(section: Section, name: str) -> Any:
    key = section.get(name)
    return key.default if key and not str(key.default).startswith("[") else "linear"


def _update(settings: dict[str, Any], given: Mapping[Any, Any]) -> None:
    for key, value in given.items():
        if isinstance(settings.get(key), Mapping) and isinstance(value, Mapping):
            inner = dict(settings[key])
            _update(inner, value)
            settings[key] = inner
        else:
            settings[key] = value


@dataclass
class Relations:
    """Looks at whole behaviors after their keys were checked."""

    checker: Checker
    defaults: Any = None
    notes: Notes = field(init=False)

    def __post_init__(self) -> None:
        self.notes = self.checker.notes

    def configuration(self, tree: Mapping[Any, Any], *, has_environment: bool) -> None:
        """Look at a document whose keys were checked; `has_environment` when a build is named elsewhere."""
        self.defaults = tree.get("default_settings")
        behaviors = tree.get("behaviors")
        if isinstance(self.defaults, Mapping):
            self._behavior(None, self.defaults, ("default_settings",))
        for name, given in behaviors.items() if isinstance(behaviors, Mapping) else ():
            if isinstance(given, Mapping):
                self._behavior(self.defaults, given, ("behaviors", str(name)))
        self._curricula(tree)
        self._environments(tree.get("env_settings"), has_environment=has_environment)

    def _behavior(self, defaults: Any, given: Mapping[Any, Any], path: TreePath) -> None:
        settings = effective(defaults, given)
        self._hyperparameters(settings, given, path)
        self._memory(settings, given, path)
        self._checkpoints(settings, given, path)
        if not self.notes.has_error(*path):
            self._buffer(settings, given, path)
            self._summaries(settings, given, path)
            self._self_play(settings, given, path)
            if settings.get("reward_signals", True) == {}:
                self.notes.warn("Nothing is rewarded.", *path, "reward_signals", hint="Leave it out for extrinsic.")

    def _hyperparameters(self, settings: Mapping[Any, Any], given: Mapping[Any, Any], path: TreePath) -> None:
        merged, own = settings.get("hyperparameters"), given.get("hyperparameters")
        if not isinstance(merged, Mapping):
            return
        inner = (*path, "hyperparameters")
        if "trainer_type" not in settings:
            spelt = misspelt("trainer_type", given, table.BEHAVIOR)
            if spelt is None:
                hint = "Add trainer_type: ppo, sac or poca."
                self.notes.error(f"{path[-1]} has hyperparameters but no trainer_type.", *inner, hint=hint)
            else:  # told already
                settings = {**settings, "trainer_type": given.get(spelt)}
        section = hyperparameters_of(settings)
        own = own if isinstance(own, Mapping) else {}
        if section is None:
            self._of_a_plugin(own, inner)
            return
        self.checker.section(section, own, inner)
        self._of_another_trainer(section, own, given, path)
        self._inherited(section, settings, own, path)

    def _inherited(self, section: Section, settings: Mapping[Any, Any], own: Mapping[Any, Any], path: TreePath) -> None:
        merged = settings["hyperparameters"]
        inherited = [str(name) for name in merged if name not in section.names and name not in own]
        if inherited:
            trainer = settings.get("trainer_type")
            self.notes.error(
                f"{path[-1]} gets hyperparameters from default_settings that {trainer} does not know: "
                f"{', '.join(inherited)}.",
                *path,
                "trainer_type",
                hint="ML-Agents lays default_settings under every behavior: use one trainer, or do without them.",
            )

    def _of_another_trainer(
        self, section: Section, own: Mapping[Any, Any], given: Mapping[Any, Any], path: TreePath
    ) -> None:
        """Tell at trainer_type when several hyperparameters are those of another one: that may be the mistake."""
        foreign = [name for name in own if name not in section.names]
        others = [name for name, other in table.HYPERPARAMETERS.items() if {*foreign} <= {*other.names}]
        if len(foreign) > 1 and others and "trainer_type" in given:
            message = f"{', '.join(map(str, foreign))} are hyperparameters of {others[0]}."
            hint = f"Write {others[0]}, or those of {given['trainer_type']}."
            self.notes.error(message, *path, "trainer_type", hint=hint)

    def _of_a_plugin(self, given: Mapping[Any, Any], path: TreePath) -> None:
        for name, value in given.items():
            key = table.ALL_HYPERPARAMETERS.get(name) if isinstance(name, str) else None
            if key is not None:
                self.checker.value(key, value, (*path, name))
            elif name not in _OF_DQN and (meant(str(name), table.PPO) or meant(str(name), table.SAC)):
                section = table.PPO if meant(str(name), table.PPO) else table.SAC
                self.notes.warn(f"{name} is no hyperparameter of ML-Agents' own.", *path, str(name),
                                hint=key_hint(str(name), section))  # fmt: skip

    def _memory(self, settings: Mapping[Any, Any], given: Mapping[Any, Any], path: TreePath) -> None:
        network = settings.get("network_settings")
        memory = network.get("memory") if isinstance(network, Mapping) else None
        if not isinstance(memory, Mapping):
            return
        # As the trainer reads them: true is 1.
        readings = {key.name: values.read(key, memory.get(key.name, key.default)) for key in table.MEMORY.keys}
        length, size = (one.value if (one := readings[name]) else None for name in ("sequence_length", "memory_size"))
        batch = number_of(settings, "batch_size")
        inner = ("network_settings", "memory")
        if size is not None and size % 2:
            self.notes.error("memory_size must be even.", *self._stands(given, path, (*inner, "memory_size")))
        if length is not None and batch is not None and length > batch:
            message = f"sequence_length ({length}) is larger than batch_size ({batch})."
            hint = "ML-Agents wants it to be at most as large."
            either = (*inner, "sequence_length"), ("hyperparameters", "batch_size")
            for where in {self._stands(given, path, *either), self._stands(given, path, *reversed(either))}:
                self.notes.error(message, *where, hint=hint)

    def _stands(self, given: Mapping[Any, Any], path: TreePath, *inner: TreePath) -> TreePath:
        """The first of some settings that stands in the file, else the behavior."""
        for one in inner:
            holder: Any = given
            for name in one:
                holder = holder.get(name, self) if isinstance(holder, Mapping) else self
            if holder is not self:
                return (*path, *one)
        return path

    def _checkpoints(self, settings: Mapping[Any, Any], given: Mapping[Any, Any], path: TreePath) -> None:
        if not settings.get("even_checkpoints"):
            if "keep_checkpoints" in given and number_of(given, "keep_checkpoints") == 0:
                message, hint = "keep_checkpoints: 0 keeps every checkpoint, not none.", "1 keeps the newest."
                self.notes.warn(message, *path, "keep_checkpoints", hint=hint)
            return
        if number_of(settings, "keep_checkpoints") == 0:
            where = self._stands(given, path, ("keep_checkpoints",), ("even_checkpoints",))
            self.notes.error("even_checkpoints needs a number of keep_checkpoints that is not 0.", *where)
        if "checkpoint_interval" in given:
            self.notes.warn("checkpoint_interval is ignored with even_checkpoints.", *path, "checkpoint_interval")

    def _buffer(self, settings: Mapping[Any, Any], given: Mapping[Any, Any], path: TreePath) -> None:
        batch, buffer, steps = (number_of(settings, name) for name in ("batch_size", "buffer_size", "max_steps"))
        if not batch or not buffer:
            return
        trainer = settings.get("trainer_type", "ppo")
        where = self._stands(given, path, ("hyperparameters", "batch_size"), ("hyperparameters", "buffer_size"))
        if batch > buffer:
            hint = "Make buffer_size a multiple of batch_size."
            self.notes.warn(
                f"batch_size ({batch}) is larger than buffer_size ({buffer}): nothing would ever be learned.",
                *where,
                hint=hint,
            )
        elif trainer in ON_POLICY and buffer % batch > LOST_PART * buffer:
            self.notes.warn(
                f"buffer_size is no multiple of batch_size: {buffer % batch} of {buffer} experiences are thrown away.",
                *where,
                hint=f"Such as {buffer // batch * batch} or {(buffer // batch + 1) * batch}.",
            )
        if trainer in ON_POLICY and steps is not None and steps < buffer:
            where = self._stands(given, path, ("max_steps",), ("hyperparameters", "buffer_size"))
            message = f"The training ends after {steps} steps, before its buffer of {buffer} is full."
            self.notes.warn(message, *where, hint="It would learn nothing.")

    def _summaries(self, settings: Mapping[Any, Any], given: Mapping[Any, Any], path: TreePath) -> None:
        steps, every = number_of(settings, "max_steps"), number_of(settings, "summary_freq")
        saved = number_of(settings, "checkpoint_interval")
        if not steps or not every:
            return
        where = self._stands(given, path, ("summary_freq",), ("max_steps",))
        points = steps // every
        if not points:
            self.notes.warn(
                f"{path[-1]} would print no summary: summary_freq is larger than max_steps.", *where, hint=_freq(steps)
            )
        elif points <= FEW_POINTS:
            self.notes.warn(
                f"A summary every {every:,} steps gives {points} point{'s' * (points != 1)} in {steps:,} steps.",
                *where,
                hint=_freq(steps),
            )
        elif points > MANY_POINTS:
            self.notes.warn(f"A summary every {every:,} steps gives {points:,} points.", *where, hint=_freq(steps))
        if saved and saved > steps and "checkpoint_interval" in given and not settings.get("even_checkpoints"):
            self.notes.warn(
                "checkpoint_interval is larger than max_steps: nothing is saved before the end.",
                *path,
                "checkpoint_interval",
            )

    def _self_play(self, settings: Mapping[Any, Any], given: Mapping[Any, Any], path: TreePath) -> None:
        play = settings.get("self_play")
        if not isinstance(play, Mapping):
            return
        saved, change = values.as_int(play.get("save_steps", 20_000)), values.as_int(play.get("team_change"))
        if saved is not None and change is not None and change < saved:
            where = self._stands(given, path, ("self_play", "team_change"), ("self_play", "save_steps"))
            hint = "Let a team learn for several times save_steps."
            self.notes.warn(f"team_change ({change}) is smaller than save_steps ({saved}).", *where, hint=hint)
        if settings.get("threaded") is True:
            where = self._stands(given, path, ("threaded",), ("self_play",))
            self.notes.warn("Self-play learns best with threaded: false.", *where)

    def _curricula(self, tree: Mapping[Any, Any]) -> None:
        parameters, behaviors = tree.get("environment_parameters"), tree.get("behaviors")
        if not isinstance(parameters, Mapping):
            return
        known = {str(name) for name in behaviors} if isinstance(behaviors, Mapping) else set()
        for name, settings in parameters.items():
            lessons = settings.get("curriculum") if isinstance(settings, Mapping) else None
            path = ("environment_parameters", str(name), "curriculum")
            for number, lesson in enumerate(lessons if isinstance(lessons, list) else ()):
                criteria = lesson.get("completion_criteria") if isinstance(lesson, Mapping) else None
                if isinstance(criteria, Mapping):
                    self._criteria(criteria, (*path, str(number), "completion_criteria"), known)

    def _criteria(self, criteria: Mapping[Any, Any], path: TreePath, known: set[str]) -> None:
        behavior = criteria.get("behavior")
        if isinstance(behavior, str) and behavior not in known and known and not isinstance(self.defaults, Mapping):
            self.notes.warn(
                f"There is no behavior {behavior}: this lesson would never end.",
                *path,
                "behavior",
                hint=f"There are {', '.join(sorted(known)[:10])}.",
            )

    def _environments(self, given: Any, *, has_environment: bool) -> None:
        if not isinstance(given, Mapping) or has_environment or given.get("env_path") is not None:
            return
        if (values.as_int(given.get("num_envs", 1)) or 1) > 1:
            hint = "Train in a build: name it when you start."
            self.notes.error("Several environments need a build.", "env_settings", "num_envs", hint=hint)


def _freq(steps: int) -> str:
    return f"summary_freq: {max(1, steps // 100)} gives about 100 points."
