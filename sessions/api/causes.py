"""Causes that users taught."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.api.views import CONFLICT, ERRORS
from sessions.models import TaughtCause
from sessions.services import accounts, teaching


class CauseSerializer(serializers.Serializer[Any]):
    """A cause that is known by a text in the console."""

    id = serializers.IntegerField(read_only=True)
    text = serializers.CharField(max_length=300, help_text="Looked for as it stands.")
    title = serializers.CharField(max_length=200)
    cause = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    fix = serializers.CharField(max_length=2000)


def _shape(cause: TaughtCause) -> dict[str, Any]:
    return {"id": cause.pk, "text": cause.text, "title": cause.title, "cause": cause.cause, "fix": cause.fix}


class CausesView(APIView):
    """All that were taught, and teaching another."""

    @extend_schema(responses={200: shapes.results_of(CauseSerializer)}, operation_id="list_causes")
    def get(self, request: Request) -> Response:
        return Response({"results": [_shape(cause) for cause in TaughtCause.objects.all()]})

    @extend_schema(request=CauseSerializer, responses={201: CauseSerializer, **CONFLICT}, operation_id="teach_cause")
    def post(self, request: Request) -> Response:
        asked = CauseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        cause = teaching.teach(**asked.validated_data, by=accounts.signed_in(request.user))
        return Response(_shape(cause), status=201)


class CauseView(APIView):
    """One that was taught."""

    @extend_schema(responses={204: None, **ERRORS}, operation_id="forget_cause")
    def delete(self, request: Request, key: int) -> Response:
        teaching.forget(key, by=accounts.signed_in(request.user))
        return Response(status=204)
