"""How OpenAPI describes the rules of a session; what they may be is said by `sessions.domain.rules`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sessions.domain.rules import RULES

TYPES = {"int": {"type": "integer"}, "float": {"type": "number"}, "str": {"type": "string"}}
MOMENT = {"type": "string", "format": "date-time"}


def _property(annotation: str, help: str) -> dict[str, Any]:
    return {**TYPES.get(annotation.partition(" ")[0], MOMENT), "description": help}


@extend_schema_field(
    {
        "type": "object",
        "properties": {key: _property(str(one.type), one.metadata["help"]) for key, one in RULES.items()},
        "additionalProperties": False,
        "description": "What MENTOR may do unattended; a rule that is not given is off.",
    }
)
class RulesField(serializers.DictField):
    """Rules by name, as numbers or texts."""
