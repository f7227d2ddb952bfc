"""The REST routes of imports."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.serializers import ErrorSerializer, results_of
from sessions.models import Import
from sessions.selectors.imports import import_shape, import_shapes, import_with
from sessions.services import accounts, imports

ERRORS = {400: ErrorSerializer, 403: ErrorSerializer, 404: ErrorSerializer}


class ImportRequestSerializer(serializers.Serializer[Any]):
    """A folder on the machine MENTOR runs on; asked for again, it is looked at again."""

    folder = serializers.CharField(max_length=1024)
    copy = serializers.BooleanField(
        default=False, help_text="Copy the files to MENTOR_HOME; then they are not watched."
    )
    tags = serializers.ListField(child=serializers.CharField(max_length=50), max_length=20, default=list)


class ImportChangeSerializer(serializers.Serializer[Any]):
    follow = serializers.BooleanField(help_text="Whether it is looked at again by itself.")


class RemarkSerializer(serializers.Serializer[Any]):
    folder = serializers.CharField()
    why = serializers.CharField()


class ImportSerializer(serializers.Serializer[Any]):
    """A folder that was adopted, and what the last look at it found; counts are of runs."""

    id = serializers.IntegerField()
    folder = serializers.CharField()
    state = serializers.ChoiceField(choices=[state for state, _ in Import.STATES])
    explanation = serializers.CharField()
    copy = serializers.BooleanField()
    follow = serializers.BooleanField()
    tags = serializers.ListField(child=serializers.CharField())
    asked_by = serializers.CharField(allow_null=True)
    asked_at = serializers.DateTimeField()
    begun_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    now_at = serializers.CharField()
    entries = serializers.IntegerField(help_text="Files and folders that were looked at.")
    found = serializers.IntegerField()
    imported = serializers.IntegerField()
    grown = serializers.IntegerField(help_text="Known before, and with something new.")
    known = serializers.IntegerField()
    refused = serializers.IntegerField()
    remarks = RemarkSerializer(many=True, help_text="The first of what was refused or left out.")


class ImportsView(APIView):
    """All imports, and a new one."""

    @extend_schema(responses={200: results_of(ImportSerializer)}, operation_id="list_imports")
    def get(self, request: Request) -> Response:
        return Response({"results": [asdict(one) for one in import_shapes(request.user)]})

    @extend_schema(
        request=ImportRequestSerializer, responses={202: ImportSerializer, **ERRORS}, operation_id="import_folder"
    )
    def post(self, request: Request) -> Response:
        asked = ImportRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        user = accounts.signed_in(request.user)
        source = imports.ask(data["folder"], by=user, copy=data["copy"], tags=data["tags"])
        return Response(asdict(import_shape(import_with(source.pk, user))), status=202)


class ImportView(APIView):
    """One import: its progress, and whether it is followed."""

    @extend_schema(responses={200: ImportSerializer, **ERRORS}, operation_id="get_import")
    def get(self, request: Request, key: int) -> Response:
        return Response(asdict(import_shape(import_with(key, request.user))))

    @extend_schema(
        request=ImportChangeSerializer, responses={200: ImportSerializer, **ERRORS}, operation_id="follow_import"
    )
    def patch(self, request: Request, key: int) -> Response:
        source = import_with(key, request.user)
        asked = ImportChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        imports.set_follow(source, asked.validated_data["follow"], by=accounts.signed_in(request.user))
        return Response(asdict(import_shape(import_with(key, request.user))))
