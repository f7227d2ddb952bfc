"""The files of a session by REST: all of them, one of them in full or in part, and what Unity wrote."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.api.files_serializers import FileListSerializer, PlayerLogQuerySerializer, PlayerLogSerializer
from sessions.downloads import BINARY, file_answer
from sessions.selectors import files, player_logs, run_files, sessions

ERRORS = {400: shapes.ErrorSerializer, 403: shapes.ErrorSerializer, 404: shapes.ErrorSerializer}
RANGE = [
    OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes, such as bytes=0-1023."),
    OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="The ETag or Last-Modified of before."),
]
CONTENT: dict[Any, Any] = {(200, BINARY): bytes, (206, BINARY): bytes, 416: None, **ERRORS}


class FilesView(APIView):
    """All files of the session's results and attempts."""

    @extend_schema(responses={200: FileListSerializer, **ERRORS}, operation_id="list_files")
    def get(self, request: Request, run_id: str) -> Response:
        listing = run_files.listing_of(sessions.session_named(run_id, request.user))
        return Response({"results": [asdict(one) for one in listing.files], "complete": listing.complete})


class FileView(APIView):
    """One file: text and video to look at, everything else to download."""

    @extend_schema(parameters=RANGE, responses=CONTENT, operation_id="get_file")
    def get(self, request: Request, run_id: str, key: str) -> HttpResponseBase:
        found = run_files.run_file(sessions.session_named(run_id, request.user), key)
        return file_answer(request._request, found.path)


class ArtifactView(APIView):
    """A model or a checkpoint, as a download."""

    @extend_schema(parameters=RANGE, responses=CONTENT, operation_id="download_artifact")
    def get(self, request: Request, run_id: str, key: int) -> HttpResponseBase:
        path = files.artifact_file(sessions.session_named(run_id, request.user), key)
        return file_answer(request._request, path, content_type=BINARY)


class PlayerLogsView(APIView):
    """What the Unity builds wrote, worker by worker, from an offset in bytes."""

    @extend_schema(
        parameters=[PlayerLogQuerySerializer],
        responses={200: PlayerLogSerializer, **ERRORS},
        operation_id="get_player_log",
    )
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        query = PlayerLogQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(asdict(player_logs.player_log_part(session, **query.validated_data)))
