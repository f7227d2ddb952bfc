"""The start form: fields as a browser sends them, turned into a request to start."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from sessions.domain.config import MAX_BYTES as MAX_CONFIG_BYTES
from sessions.models import Trainer
from sessions.services.planning import StartRequest

OVERRIDE = "override:"
EDITOR, EXECUTABLE = "editor", "executable"
# Fields of a request to start whose sentences belong to a field of another name here.
FIELD_OF = {"config": "config_text"}


class StartForm(forms.Form):
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
        max_length=64,
        label="Initialize from",
        help_text="A run id whose networks to begin with, at step 0.",
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
            tags=tuple(tag.strip() for tag in data["tags"].split(",") if tag.strip()),
            notes=data["notes"],
        )

    def take_errors(self, errors: Mapping[str, list[str]]) -> None:
        """Put the sentences of a refused request at their fields."""
        for name, sentences in errors.items():
            field = FIELD_OF.get(name, name)
            if field == "config_text" and self.cleaned_data.get("config_file"):
                field = "config_file"
            self.add_error(field if field in self.fields else None, sentences)


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
    names = ("run_id", "config_path", "env_path", "mode", "trainer")
    return {name: str(query[name]) for name in names if name in query}
