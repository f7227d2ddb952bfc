"""The REST routes of configurations that users keep under a name."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.api.configs import AnyTextField
from sessions.api.views import CONFLICT, ERRORS
from sessions.models import KeptConfig
from sessions.selectors.library import kept
from sessions.services import accounts, library


class KeptSerializer(serializers.Serializer[Any]):
    """One version of a named configuration."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=library.LONGEST_NAME)
    version = serializers.IntegerField(read_only=True, help_text="From 1.")
    kept_at = serializers.DateTimeField(read_only=True)
    config = AnyTextField(source="text", trim_whitespace=False, help_text="The YAML.")


class LibraryView(APIView):
    """All versions of all names, newest first; keeping another."""

    @extend_schema(responses={200: shapes.results_of(KeptSerializer)}, operation_id="list_kept_configs")
    def get(self, request: Request) -> Response:
        return Response({"results": [KeptSerializer(one).data for one in KeptConfig.objects.all()]})

    @extend_schema(request=KeptSerializer, responses={201: KeptSerializer, **CONFLICT}, operation_id="keep_config")
    def post(self, request: Request) -> Response:
        asked = KeptSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = library.keep(**asked.validated_data, by=accounts.signed_in(request.user))
        return Response(KeptSerializer(made).data, status=201)


class KeptView(APIView):
    """One version."""

    @extend_schema(responses={200: KeptSerializer, **ERRORS}, operation_id="get_kept_config")
    def get(self, request: Request, key: int) -> Response:
        return Response(KeptSerializer(kept(key)).data)

    @extend_schema(responses={204: None, **ERRORS}, operation_id="forget_config")
    def delete(self, request: Request, key: int) -> Response:
        library.forget(key, by=accounts.signed_in(request.user))
        return Response(status=204)
