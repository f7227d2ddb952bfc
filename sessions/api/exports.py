"""Exports by REST: one session, or those that a query chooses, as a file that is written while it is sent."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.api.views import FILTERS
from sessions.downloads import protect, streamed
from sessions.models import TrainingSession
from sessions.selectors import sessions
from sessions.selectors.exports import FORMATS, TABLES, Wanted, chosen_sessions, export_blocks

ERRORS = {400: shapes.ErrorSerializer, 403: shapes.ErrorSerializer, 404: shapes.ErrorSerializer}
CONTENT: dict[Any, Any] = {**{(200, told.partition(";")[0]): bytes for told, _ in FORMATS.values()}, **ERRORS}
OF_A_PAGE = {"page", "page_size", "behavior"}


class ExportQuerySerializer(serializers.Serializer[Any]):
    export_format = serializers.ChoiceField(choices=list(FORMATS), default="csv")
    what = serializers.ChoiceField(choices=list(TABLES), default="points")
    behavior = serializers.ListField(
        child=serializers.CharField(allow_blank=True, max_length=255), required=False, help_text="Only its points."
    )
    series_tag = serializers.ListField(
        child=serializers.CharField(max_length=255), required=False, help_text="Only the points of these tags."
    )


class SessionExportView(APIView):
    """One session."""

    @extend_schema(parameters=[ExportQuerySerializer], responses=CONTENT, operation_id="export_session")
    def get(self, request: Request, run_id: str) -> HttpResponseBase:
        session = sessions.session_named(run_id, request.user)
        return _answer(request, TrainingSession.objects.filter(pk=session.pk), [session.run_id])


class ExportView(APIView):
    """All sessions that a query chooses."""

    @extend_schema(
        parameters=[
            ExportQuerySerializer,
            OpenApiParameter("run_id", str, many=True),
            *(one for one in FILTERS if one.name not in OF_A_PAGE),
        ],
        responses=CONTENT,
        operation_id="export_sessions",
    )
    def get(self, request: Request) -> HttpResponseBase:
        chosen = chosen_sessions(sessions.visible_sessions(request.user), request.query_params)
        return _answer(request, chosen, [])


def _answer(request: Request, chosen: QuerySet[TrainingSession], run_ids: list[str]) -> HttpResponseBase:
    query = ExportQuerySerializer(data=request.query_params)
    query.is_valid(raise_exception=True)
    asked = query.validated_data
    wanted = Wanted(
        asked["what"],
        asked["export_format"],
        behaviors=frozenset(filter(None, asked.get("behavior", ()))),  # a form sends what nobody filled in
        series_tags=frozenset(asked.get("series_tag", ())),
    )
    answer = streamed(request._request, export_blocks(chosen, wanted))
    protect(answer, wanted.content_type, wanted.file_name(run_ids), attachment=True)
    return answer
