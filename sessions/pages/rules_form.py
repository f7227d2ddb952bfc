"""The rules of a session as fields of a form; what they may be is said by `sessions.domain.rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field
from datetime import datetime
from typing import Any

from django import forms

from sessions.domain.rules import DIRECTIONS, RULES, InvalidRules, read_rules

PREFIX = "rule_"
CHOICES = {
    "action": [("warn", "Warn"), ("stop", "Stop and save"), ("restart", "Restart")],
    "health_action": [
        ("warn", "Warn"),
        ("pause", "Pause"),
        ("stop", "Stop and save"),
        ("go_back", "Go back to the best checkpoint"),
    ],
    "direction": [(word, word.capitalize()) for word in DIRECTIONS],
    "mode": [("max", "Largest"), ("min", "Smallest")],
}
MOMENT = "%Y-%m-%dT%H:%M"


class RulesForm(forms.Form):
    """A field for each rule, named `rule_<rule>`; an empty one leaves it as it is by default, which is off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, rule in RULES.items():
            self.fields[PREFIX + key] = _field(key, rule)

    def clean(self) -> dict[str, Any] | None:
        try:
            read_rules(self.asked_rules())
        except InvalidRules as error:
            for name, sentences in error.errors.items():
                self.add_error(PREFIX + name.removeprefix("rules."), sentences)
        return super().clean()

    def has_rules(self) -> bool:
        """Tell whether a rule is filled in, or wrong."""
        typed = self.data if self.is_bound else self.initial
        return any(typed.get(PREFIX + key) for key in RULES if not key.endswith(tuple(CHOICES)))

    def asked_rules(self) -> dict[str, Any]:
        """Return the rules that were filled in."""
        typed = {key: self.cleaned_data.get(PREFIX + key) for key in RULES}
        return {key: value for key, value in typed.items() if value}


def _field(key: str, rule: Field[Any]) -> forms.Field:
    choices = CHOICES.get(key) or CHOICES.get(key.rpartition("_")[2])
    if choices:
        return forms.ChoiceField(required=False, choices=choices, initial=rule.default)
    attributes = {"placeholder": _text(rule.default), "autocomplete": "off"}
    if key == "budget_until":
        attributes["type"] = "datetime-local"
    elif not isinstance(rule.default, str):
        attributes["inputmode"] = "decimal"
    return forms.CharField(required=False, max_length=255, widget=forms.TextInput(attrs=attributes))


def initial_rules(rules: Mapping[str, Any]) -> dict[str, str]:
    """Return stored rules as the texts of their fields."""
    return {PREFIX + key: _text(value, key) for key, value in rules.items()}


def _text(value: Any, key: str = "") -> str:
    if value is None:
        return ""
    if key == "budget_until":
        return datetime.fromisoformat(value).astimezone().strftime(MOMENT)
    return value if isinstance(value, str) else f"{value:.15g}"
