"""The REST routes of what goes: the trash, what was deleted, and the rules of retention."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.serializers import ErrorSerializer, results_of
from sessions.domain.retention import Action
from sessions.models import RetentionPolicy
from sessions.selectors.keeping import leaving
from sessions.selectors.removals import removals_seen_by
from sessions.services import deletion, editing, retention

ERRORS = {400: ErrorSerializer, 403: ErrorSerializer, 409: ErrorSerializer}
MEASURE_SECONDS = 2.0
RUN_SECONDS = 4.0


class LeavingSerializer(serializers.Serializer[Any]):
    """A session in the trash, and what deleting it takes along."""

    run_id = serializers.CharField()
    name = serializers.CharField()
    own_bytes = serializers.IntegerField(help_text="MENTOR's own files, which always go.")
    folder = serializers.CharField(allow_blank=True, help_text="A results folder that is not MENTOR's; it stays.")
    folder_bytes = serializers.IntegerField()


class ConsentSerializer(serializers.Serializer[Any]):
    """A results folder that may go too, as `GET /api/trash/` told it."""

    folder = serializers.CharField(max_length=1024)
    bytes = serializers.IntegerField(min_value=0)


class EmptySerializer(serializers.Serializer[Any]):
    """Which sessions of the trash are deleted, and which folders of users with them, by run id."""

    run_ids = serializers.ListField(child=serializers.CharField(max_length=64), allow_empty=False)
    folders = serializers.DictField(child=ConsentSerializer(), required=False, default=dict)


class EmptiedSerializer(serializers.Serializer[Any]):
    deleted = serializers.ListField(child=serializers.CharField())


class RemovalSerializer(serializers.Serializer[Any]):
    run_id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    project = serializers.CharField(allow_blank=True)
    who = serializers.CharField()
    why = serializers.CharField()
    asked_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Null while files are still being deleted.")
    freed_bytes = serializers.IntegerField()
    folder = serializers.CharField(allow_blank=True, help_text="The results folder that was not MENTOR's.")
    folder_deleted = serializers.BooleanField()


class PolicySerializer(serializers.Serializer[Any]):
    """The rules of retention; null is no limit."""

    enabled = serializers.BooleanField(required=False)
    archive_days = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=36_500)
    trash_days = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=36_500)
    most_gb = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=1e9)
    keep_best = serializers.IntegerField(required=False, min_value=0, max_value=1000)
    undo_days = serializers.IntegerField(required=False, min_value=0, max_value=36_500)
    ran_at = serializers.DateTimeField(read_only=True, allow_null=True)
    changed_by = serializers.CharField(read_only=True, allow_blank=True)


class PlannedActionSerializer(serializers.Serializer[Any]):
    run_id = serializers.CharField()
    action = serializers.ChoiceField(choices=[one.value for one in Action])
    why = serializers.CharField()
    frees = serializers.IntegerField(help_text="Bytes: a deletion's at once, the trash's when it is emptied.")


class RetentionPlanSerializer(serializers.Serializer[Any]):
    """What the rules ask for at this moment; bytes are of MENTOR's own files."""

    actions = PlannedActionSerializer(many=True)
    kept = serializers.DictField(child=serializers.IntegerField(), help_text="How many are never touched, by reason.")
    total = serializers.IntegerField(help_text="Outside the trash now.")
    after = serializers.IntegerField(help_text="Outside the trash then.")
    over = serializers.IntegerField(help_text="By how much that is still more than the limit.")
    frees_now = serializers.IntegerField()
    frees_later = serializers.IntegerField(help_text="Once the trash is emptied.")
    unmeasured = serializers.IntegerField(help_text="Sessions whose size is not known yet.")


class TrashView(APIView):
    """What is in the trash, and its deletion for good."""

    @extend_schema(responses={200: results_of(LeavingSerializer)}, operation_id="list_trash")
    def get(self, request: Request) -> Response:
        return Response({"results": [asdict(leaving(one)) for one in deletion.in_trash(request.user)]})

    @extend_schema(request=EmptySerializer, responses={200: EmptiedSerializer, **ERRORS}, operation_id="empty_trash")
    def post(self, request: Request) -> Response:
        asked = EmptySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        folders = {key: deletion.Consent(one["folder"], one["bytes"]) for key, one in data["folders"].items()}
        return Response({"deleted": deletion.empty_trash(by=request.user, run_ids=data["run_ids"], folders=folders)})


class RemovalsView(APIView):
    """What was deleted for good, newest first."""

    @extend_schema(responses={200: results_of(RemovalSerializer), **ERRORS}, operation_id="list_removals")
    def get(self, request: Request) -> Response:
        return Response({"results": RemovalSerializer(removals_seen_by(request.user), many=True).data})


class RetentionView(APIView):
    """The rules of retention."""

    @extend_schema(responses={200: PolicySerializer}, operation_id="get_retention")
    def get(self, request: Request) -> Response:
        return Response(_stored(retention.policy()))

    @extend_schema(request=PolicySerializer, responses={200: PolicySerializer, **ERRORS}, operation_id="set_retention")
    def patch(self, request: Request) -> Response:
        asked = PolicySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(_stored(retention.change(asked.validated_data, by=request.user)))


def _stored(policy: RetentionPolicy) -> Any:
    return PolicySerializer(policy).data


class RetentionPlanView(APIView):
    """What the rules ask for at this moment; POST carries it out."""

    @extend_schema(responses={200: RetentionPlanSerializer, **ERRORS}, operation_id="plan_retention")
    def get(self, request: Request) -> Response:
        editing.require_permission(request.user, "training.view_trainingsession")
        return Response(asdict(retention.plan(retention.policy(), measure_seconds=MEASURE_SECONDS)))

    @extend_schema(request=None, responses={200: RetentionPlanSerializer, **ERRORS}, operation_id="run_retention")
    def post(self, request: Request) -> Response:
        return Response(asdict(retention.run_now(by=request.user, seconds=RUN_SECONDS)))
