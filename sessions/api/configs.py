"""The REST route of configurations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.serializers import ErrorSerializer
from sessions.selectors.configs import validation_of


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
        # Halves of characters, which JSON can name, are no UTF-8 and found as such.
        found = validation_of(text.encode("utf-8", "surrogatepass"), version=asked.validated_data["version"])
        return Response(found.as_json())
