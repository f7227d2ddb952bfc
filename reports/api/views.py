"""Reports by REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from reports import selectors, services
from reports.models import Report
from sessions.api.serializers import results_of
from sessions.selectors.sessions import session_named


class BuildSerializer(serializers.Serializer[Any]):
    session = serializers.CharField(max_length=64, help_text="A run id.")


class ReportSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    run_id = serializers.CharField()
    title = serializers.CharField()
    made_at = serializers.DateTimeField()
    size = serializers.IntegerField()
    url = serializers.CharField()
    download_url = serializers.CharField()


def _row(report: Report) -> dict[str, Any]:
    return {name: value for name, value in selectors.report_row(report).items() if name != "session"}


class ReportsView(APIView):
    """All reports, and the building of one."""

    @extend_schema(responses={200: results_of(ReportSerializer)}, operation_id="list_reports")
    def get(self, request: Request) -> Response:
        return Response({"results": [_row(report) for report in selectors.visible_reports(request.user)[:500]]})

    @extend_schema(request=BuildSerializer, responses={201: ReportSerializer}, operation_id="build_report")
    def post(self, request: Request) -> Response:
        asked = BuildSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        session = session_named(asked.validated_data["session"], request.user)
        return Response(_row(services.build(session)), status=201)
