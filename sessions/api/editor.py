"""The REST routes of the editor: what settings there are, texts to begin with, single changes and differences."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.configs import AnyTextField
from sessions.api.serializers import ErrorSerializer
from sessions.domain.configuration.documentation import as_json
from sessions.domain.configuration.presets import PRESETS
from sessions.selectors import configs
from sessions.selectors.library import kept
from sessions.selectors.sessions import session_named

MOST_LEVELS = 10


class KeySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    kind = serializers.CharField(help_text="Such as whole, number, truth, choice, section.")
    value = serializers.CharField(help_text="What it must be, with its range, in words.")
    default = serializers.CharField(allow_blank=True)
    needed = serializers.BooleanField(help_text="Whether it must be given.")
    choices = serializers.ListField(child=serializers.CharField())
    section = serializers.CharField(allow_blank=True, help_text="The section its value is, by name.")
    outdated = serializers.BooleanField(help_text="Whether ML-Agents has given it up.")
    help = serializers.CharField()


class SectionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    keys = KeySerializer(many=True)


class SettingsSerializer(serializers.Serializer[Any]):
    version = serializers.CharField(help_text="The version of mlagents.")
    sections = SectionSerializer(many=True)
    hyperparameters = serializers.DictField(child=serializers.CharField(), help_text="The section of each trainer.")
    signals = serializers.ListField(child=serializers.CharField(), help_text="Names of sections.")
    samplers = serializers.ListField(child=serializers.CharField(), help_text="Names of sections.")


class PresetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    config = serializers.CharField()


class PresetsSerializer(serializers.Serializer[Any]):
    results = PresetSerializer(many=True)


class ChangeSerializer(serializers.Serializer[Any]):
    path = serializers.ListField(child=serializers.CharField(max_length=500), min_length=1, max_length=MOST_LEVELS)
    value = serializers.CharField(max_length=200, help_text="One word or number, as it is to stand in the YAML.")


class CommonAskedSerializer(serializers.Serializer[Any]):
    config = serializers.CharField(allow_blank=True, trim_whitespace=False)
    change = ChangeSerializer(required=False, allow_null=True, help_text="A setting to write first.")


class CommonSettingSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    path = serializers.ListField(child=serializers.CharField())
    given = serializers.CharField(allow_null=True, allow_blank=True, help_text="Null when the text leaves it out.")
    otherwise = serializers.CharField(allow_blank=True, help_text="What holds when the text leaves it out.")
    line = serializers.IntegerField(allow_null=True, help_text="Of the value; from 1.")
    column = serializers.IntegerField(allow_null=True, help_text="From 1.")
    choices = serializers.ListField(child=serializers.CharField())
    value = serializers.CharField(help_text="What it must be, in words.")
    help = serializers.CharField()


class CommonGroupSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="A behavior, or default_settings.")
    settings = CommonSettingSerializer(many=True)


class CommonSerializer(serializers.Serializer[Any]):
    config = serializers.CharField(allow_blank=True, trim_whitespace=False)
    groups = CommonGroupSerializer(many=True)


class CompareAskedSerializer(serializers.Serializer[Any]):
    config = AnyTextField(allow_blank=True, trim_whitespace=False)
    session = serializers.CharField(max_length=64, required=False, help_text="The run id of an earlier session.")
    kept = serializers.IntegerField(required=False, min_value=1, help_text="Or the id of a version that was kept.")
    preset = serializers.CharField(max_length=64, required=False, help_text="Or the name of a usual starting point.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs.keys() & {"session", "kept", "preset"}) != 1:
            raise serializers.ValidationError("Name one to compare with: session, kept or preset.")
        return attrs


class DifferenceSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    now = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(choices=["changed", "added", "removed"])


class DifferencesSerializer(serializers.Serializer[Any]):
    results = DifferenceSerializer(many=True)


REFUSALS = {400: ErrorSerializer, 403: ErrorSerializer}


@cache
def _settings() -> dict[str, Any]:
    return as_json()


@cache
def _etag() -> str:
    return f'"{hashlib.sha256(json.dumps(_settings()).encode()).hexdigest()[:16]}"'


class SchemaView(APIView):
    """Every setting of ML-Agents with its kind, range, default and a sentence; the same until MENTOR is updated."""

    @extend_schema(responses={200: SettingsSerializer}, operation_id="list_settings")
    def get(self, request: Request) -> HttpResponseBase:
        answer = Response(_settings(), headers={"ETag": _etag(), "Cache-Control": "private, no-cache"})
        return get_conditional_response(request, etag=_etag(), response=answer) or answer


class PresetsView(APIView):
    """Configurations to begin with."""

    @extend_schema(responses={200: PresetsSerializer}, operation_id="list_presets")
    def get(self, request: Request) -> Response:
        return Response({"results": [asdict(preset) for preset in PRESETS]})


class CommonView(APIView):
    """The settings that are changed most, as they stand in a text; stores nothing.

    With `change`, that setting is written into the text first; all else in it stays, comments too.
    """

    @extend_schema(
        request=CommonAskedSerializer, responses={200: CommonSerializer, **REFUSALS}, operation_id="common_settings"
    )
    def post(self, request: Request) -> Response:
        asked = CommonAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        text, groups = configs.common_of(asked.validated_data["config"], asked.validated_data.get("change"))
        return Response({"config": text, "groups": [group.as_json() for group in groups]})


class CompareView(APIView):
    """What a text sets differently from an earlier session, a kept version or a usual starting point."""

    @extend_schema(
        request=CompareAskedSerializer,
        responses={200: DifferencesSerializer, 404: ErrorSerializer, **REFUSALS},
        operation_id="compare_config",
    )
    def post(self, request: Request) -> Response:
        asked = CompareAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        earlier = _earlier(asked.validated_data, request)
        found = configs.differences_to(earlier, asked.validated_data["config"])
        return Response({"results": [asdict(one) for one in found]})


def _earlier(asked: Mapping[str, Any], request: Request) -> bytes:
    if "kept" in asked:
        return kept(asked["kept"]).text.encode()
    if "preset" in asked:
        return configs.preset_named(asked["preset"])
    return bytes(session_named(asked["session"], request.user).config_used)
