"""The start form: fields as a browser sends them, turned into a request to start."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict

from sessions.domain.config import MAX_BYTES as MAX_CONFIG_BYTES
from sessions.domain.config import Config
from sessions.models import Trainer
from sessions.pages.rules_form import RulesForm
from sessions.services.batches import MOST_IN_A_BATCH, variations
from sessions.services.planning import StartRequest

OVERRIDE = "override:"
# Fields that an address may fill in beside those of the session it is like.
CHANGES = ("num_envs", "time_scale", "device", "overrides")
EDITOR, EXECUTABLE = "editor", "executable"
# Fields of a request to start whose sentences belong to a field of another name here.
FIELD_OF = {"config": "config_text"}
# Fields of a request that the form shows as they are.
LIKE = (
    "seed", "num_envs", "no_graphics", "width", "height", "time_scale", "timeout_wait", "device", "initialize_from",
    "priority", "notes",
)  # fmt: skip


# Of these, those that a configuration may set under env_settings, engine_settings and torch_settings.
OPTIONS_OF_A_RUN = ("seed", "num_envs", "width", "height", "time_scale", "timeout_wait", "device")


class LocalMomentField(forms.CharField):
    """A date and a time as a browser sends them, meant in the time zone of this machine."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        try:
            return datetime.fromisoformat(text).astimezone() if text else None
        except (ValueError, OverflowError, OSError):
            raise forms.ValidationError("Write a date and a time, such as 2030-01-31T08:00.") from None


class StartForm(RulesForm):
    """What a user fills in. The rules are those of `sessions.services.starting`; here text becomes values."""

    config_path = forms.CharField(required=False, max_length=1024, label="A file on this machine")
    config_file = forms.FileField(required=False, label="Upload a file")
    config_text = forms.CharField(
        required=False, strip=False, max_length=MAX_CONFIG_BYTES, widget=forms.Textarea, label="Paste it"
    )
    run_id = forms.CharField(max_length=64, label="Run id", help_text="The name of its folder under results.")
    mode = forms.ChoiceField(
        choices=[(EXECUTABLE, "A build"), (EDITOR, "The Unity Editor")],
        widget=forms.RadioSelect,
        initial=EXECUTABLE,
        label="Trains in",
    )
    env_path = forms.CharField(
        required=False,
        max_length=1024,
        label="Environment",
        help_text="Full path of the executable that Unity built.",
    )
    trainer = forms.ChoiceField(required=False, label="Trainer")
    seed = forms.IntegerField(required=False, label="Seed", help_text="Empty or -1: a random one.")
    num_envs = forms.IntegerField(
        required=False, label="Environments", help_text="How many copies of the build run side by side."
    )
    no_graphics = forms.BooleanField(required=False, label="No graphics")
    width = forms.IntegerField(required=False, label="Width")
    height = forms.IntegerField(required=False, label="Height")
    time_scale = forms.FloatField(
        required=False, label="Time scale", help_text="How much faster than life; 20 when empty."
    )
    timeout_wait = forms.IntegerField(
        required=False, label="Timeout", help_text="Seconds to wait for Unity; 60 when empty."
    )
    device = forms.CharField(
        required=False,
        max_length=20,
        label="Device",
        help_text="cpu, cuda or cuda:0; chosen by PyTorch when empty.",
    )
    env_args = forms.CharField(required=False, max_length=4096, label="Environment arguments")
    resume = forms.BooleanField(
        required=False, label="Resume", help_text="Go on from the last checkpoint of this run id."
    )
    force = forms.BooleanField(
        required=False,
        label="Force",
        help_text="Begin this run id anew. Its earlier results are set aside, not deleted.",
    )
    initialize_from = forms.CharField(
        required=False,
        max_length=120,
        label="Initialize from",
        help_text="A run id, a checkpoint's number or outside:name, whose networks to begin with, at step 0.",
    )
    overrides = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        label="Further overrides",
        help_text="One a line: behaviors.Ball.max_steps = 40000",
    )
    priority = forms.IntegerField(
        required=False, min_value=-1000, max_value=1000, label="Priority", help_text="Higher goes first."
    )
    held = forms.BooleanField(required=False, label="Hold", help_text="Queue it, but start it only when released.")
    start_at = LocalMomentField(
        required=False, max_length=40, label="Not before", help_text="In the time of the machine MENTOR runs on."
    )
    start_after = forms.CharField(
        required=False, max_length=64, label="After the end of", help_text="The run id of a session to wait for."
    )
    seeds = forms.CharField(
        required=False, max_length=1000, label="Seeds", help_text="One session for each: 1, 2, 5-8."
    )
    more_configs = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Further configurations",
        help_text="One path a line; a session for each, with the same settings.",
    )
    sequential = forms.BooleanField(
        required=False, label="One after the other", help_text="Each waits for the end of the one before."
    )
    tags = forms.CharField(required=False, max_length=1000, label="Tags", help_text="Separated by commas.")
    notes = forms.CharField(required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 4}), label="Notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(trainer.name, f"{trainer}") for trainer in Trainer.objects.filter(problem="")]
        trainer = self.fields["trainer"]
        assert isinstance(trainer, forms.ChoiceField)  # noqa: S101 - declared above
        trainer.choices = [("", "Automatic"), *names]

    def clean_config_file(self) -> Any:
        upload = self.cleaned_data.get("config_file")
        if upload is not None and upload.size > MAX_CONFIG_BYTES:
            raise forms.ValidationError("This file is larger than 256 KB; that is no configuration.")
        return upload

    def clean_env_args(self) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(self.cleaned_data["env_args"]))
        except ValueError:
            raise forms.ValidationError("A quotation mark is not closed.") from None

    def clean_overrides(self) -> dict[str, Any]:
        return read_overrides(self.cleaned_data["overrides"])

    def clean_seeds(self) -> list[int]:
        return read_seeds(self.cleaned_data["seeds"])

    def requests(self) -> list[StartRequest]:
        """Return what was asked for, once for each configuration and seed; only for a valid form."""
        configs = [line.strip() for line in self.cleaned_data["more_configs"].splitlines() if line.strip()]
        return variations(self.request(), configs=configs, seeds=self.cleaned_data["seeds"])

    def request(self) -> StartRequest:
        """Return what was asked for; only for a valid form."""
        data = self.cleaned_data
        upload = data["config_file"]
        text = data["config_text"].replace("\r\n", "\n")
        config = upload.read() if upload else text.encode() if text.strip() else None
        optional = {name: data[name] for name in ("seed", "num_envs", "width", "height", "time_scale", "timeout_wait")}
        return StartRequest(
            run_id=data["run_id"],
            config=config,
            config_path=data["config_path"].strip() or None if config is None else None,
            config_name=upload.name if upload else "",
            env_path=data["env_path"].strip() or None if data["mode"] == EXECUTABLE else None,
            editor=data["mode"] == EDITOR,
            trainer=data["trainer"] or None,
            overrides={**data["overrides"], **typed_overrides(self.data)},
            **{name: value for name, value in optional.items() if value is not None},
            no_graphics=True if data["no_graphics"] else None,
            device=data["device"] or None,
            env_args=data["env_args"],
            resume=data["resume"],
            force=data["force"],
            initialize_from=data["initialize_from"] or None,
            priority=data["priority"] or 0,
            held=data["held"],
            start_at=data["start_at"],
            start_after=data["start_after"].strip() or None,
            tags=tuple(tag.strip() for tag in data["tags"].split(",") if tag.strip()),
            notes=data["notes"],
            rules=self.asked_rules(),
        )

    def take_errors(self, errors: Mapping[str, list[str]]) -> None:
        """Put the sentences of a refused request at their fields."""
        for name, sentences in errors.items():
            field = FIELD_OF.get(name, name)
            if field == "config_text" and self.cleaned_data.get("config_file"):
                field = "config_file"
            if field in self.fields:
                self.add_error(field, sentences)
            else:
                self.add_error(None, [f"{name}: {sentence}" if name else sentence for sentence in sentences])


class ScheduleForm(forms.Form):
    """When a waiting session may start; empty is no condition."""

    start_at = LocalMomentField(required=False, max_length=40)
    start_after = forms.CharField(required=False, max_length=64)


def read_seeds(text: str) -> list[int]:
    """Return the seeds of a text such as `1, 2, 5-8`; raises ValidationError."""
    seeds: list[int] = []
    for part in text.replace(",", " ").split():
        found = re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", part)
        if found is None:
            raise forms.ValidationError("Write seeds as numbers, such as 1, 2, 5-8.")
        first, last = int(found[1]), int(found[2] or found[1])
        if last - first >= MOST_IN_A_BATCH:
            raise forms.ValidationError(f"At most {MOST_IN_A_BATCH} sessions can be started at once.")
        seeds.extend(range(first, last + 1))
    return seeds


def read_overrides(text: str) -> dict[str, Any]:
    """Return the overrides of lines such as `behaviors.Ball.max_steps = 40000`; raises ValidationError."""
    overrides = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.strip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise forms.ValidationError(f"Line {number}: write a name, an equals sign and a value.")
        overrides[name.strip()] = scalar(value.strip())
    return overrides


def scalar(text: str) -> Any:
    """Return a number or a truth value where the text is one, else the text."""
    words = {"true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def typed_overrides(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overrides typed into the fields of each behavior, named `override:<behavior>:<setting>`."""
    overrides = {}
    for name in data:
        value = data.get(name)
        if name.startswith(OVERRIDE) and isinstance(value, str) and value.strip():
            behavior, _, setting = name[len(OVERRIDE) :].rpartition(":")
            if behavior and setting in {"max_steps", "learning_rate"}:
                overrides[f"behaviors.{behavior}.{setting}"] = scalar(value.strip())
    return overrides


def initial_from(query: QueryDict) -> dict[str, str]:
    """Return the fields that an address gives to the form, so that a page can offer a start with some filled in."""
    names = ("run_id", "config_path", "env_path", "mode", "trainer", "initialize_from")
    return {name: str(query[name]) for name in names if name in query}


def initial_changes(query: QueryDict) -> dict[str, Any]:
    """Return the settings that an address changes of a start like another; a person sees them in the form."""
    found: dict[str, Any] = {name: str(query[name]) for name in CHANGES if query.get(name)}
    return {**found, "no_graphics": True} if query.get("no_graphics") == "true" else found


def initial_like(request: StartRequest) -> dict[str, Any]:
    """Return the fields of the form that would ask for the same again."""
    config = request.config or b""
    return {
        "config_text": config.decode("utf-8", "replace"),
        "mode": EXECUTABLE if request.env_path else EDITOR,
        "env_path": request.env_path or "",
        "env_args": shlex.join(request.env_args),
        "tags": ", ".join(request.tags),
        "trainer": request.trainer or "",
        **{name: getattr(request, name) for name in LIKE if getattr(request, name) is not None},
    }


def fields_of(config: Config) -> dict[str, Any]:
    """Return what the form may fill in from a configuration. Force is left to a person: it sets results aside."""
    found = {name: config.fields.get(name) or "" for name in ("env_path", "initialize_from")}
    resume = bool(config.fields.get("resume") or config.fields.get("load_model"))
    found |= {name: str(config.defaults.get(name, "")) for name in OPTIONS_OF_A_RUN}
    found["no_graphics"] = bool(config.defaults.get("no_graphics"))
    return {**found, "env_args": shlex.join(config.fields.get("env_args") or ()), "resume": resume}
