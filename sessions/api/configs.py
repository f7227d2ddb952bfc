"""The REST route of configurations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.serializers import ErrorSerializer
from sessions.domain.configuration.validation import Beside, difference
from sessions.selectors.configs import validation_of

MOST_BESIDE = 20


class AnyTextField(serializers.CharField):
    """Text of any characters: those that no configuration may hold are findings, not a wrong request."""

    def run_validators(self, value: Any) -> None:
        pass


class ConfigTextSerializer(serializers.Serializer[Any]):
    config = AnyTextField(allow_blank=True, trim_whitespace=False, help_text="The YAML, of any version of ML-Agents.")


class ConfigToValidateSerializer(ConfigTextSerializer):
    version = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=50,
        help_text="That of the trainer: what an older one than 1.1.0 does not know yet is warned of.",
    )


class FindingSerializer(serializers.Serializer[Any]):
    severity = serializers.ChoiceField(
        choices=["error", "warning"], help_text="An error: ML-Agents 1.1.0 refuses it or fails over it."
    )
    line = serializers.IntegerField(allow_null=True, help_text="From 1; null means the whole text.")
    column = serializers.IntegerField(allow_null=True, help_text="From 1.")
    path = serializers.CharField(help_text="Such as behaviors.Ball.max_steps.")
    message = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)


class ValidationSerializer(serializers.Serializer[Any]):
    valid = serializers.BooleanField(help_text="Whether there is no error.")
    format = serializers.CharField(help_text="1.1.0, or the older versions it was written for.")
    findings = FindingSerializer(many=True)
    upgraded = serializers.CharField(allow_null=True, help_text="The same for 1.1.0, when that differs.")


class ValidateView(APIView):
    """What is wrong with a configuration, and where; starts and stores nothing."""

    @extend_schema(
        request=ConfigToValidateSerializer,
        responses={200: ValidationSerializer, 400: ErrorSerializer, 403: ErrorSerializer},
        operation_id="validate_config",
    )
    def post(self, request: Request) -> Response:
        asked = ConfigToValidateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        text: str = asked.validated_data["config"]
        found = validation_of(as_bytes(text), version=asked.validated_data["version"])
        return Response(found.as_json())


class BesideSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=255, help_text="Of its file; until 0.12 that was the behavior's.")
    config = AnyTextField(trim_whitespace=False)


class UpgradeAskedSerializer(ConfigTextSerializer):
    beside = serializers.ListField(
        child=BesideSerializer(), required=False, max_length=MOST_BESIDE, help_text="Its curricula and samplers."
    )


class UpgradeSerializer(serializers.Serializer[Any]):
    upgraded = serializers.CharField(allow_null=True, help_text="Null when there is nothing to upgrade, or no way to.")
    difference = serializers.CharField(allow_blank=True, trim_whitespace=False, help_text="Unified, line by line.")
    findings = FindingSerializer(many=True)


class UpgradeView(APIView):
    """A configuration of an older version in the words of 1.1.0, with what stood in files beside it; stores nothing."""

    @extend_schema(
        request=UpgradeAskedSerializer,
        responses={200: UpgradeSerializer, 400: ErrorSerializer, 403: ErrorSerializer},
        operation_id="upgrade_config",
    )
    def post(self, request: Request) -> Response:
        asked = UpgradeAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        text: str = asked.validated_data["config"]
        beside = [Beside(one["name"], as_bytes(one["config"])) for one in asked.validated_data.get("beside", [])]
        found = validation_of(as_bytes(text), beside=beside)
        shown = difference(text, found.upgraded, "configuration") if found.upgraded is not None else ""
        findings = [one.as_json() for one in found.findings]
        return Response({"upgraded": found.upgraded, "difference": shown, "findings": findings})


def as_bytes(text: str) -> bytes:
    """A text as its file would be; halves of characters, which JSON can name, are no UTF-8 and found as such."""
    return text.encode("utf-8", "surrogatepass")
