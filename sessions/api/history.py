"""The REST routes of the history: behaviors, projects, and what is done to many sessions at once."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.serializers import ErrorSerializer, results_of
from sessions.domain.labels import LONGEST_PROJECT
from sessions.selectors import behaviors, history, sessions
from sessions.services import bulk, projects

ERRORS = {400: ErrorSerializer, 403: ErrorSerializer, 404: ErrorSerializer}


class BehaviorEntrySerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    sessions = serializers.IntegerField(help_text="How many trained it.")
    best_reward = serializers.FloatField(allow_null=True, help_text="Largest mean reward of a summary.")
    last_reward = serializers.FloatField(allow_null=True, help_text="In the session that trained it last.")
    last_run_id = serializers.CharField()
    steps = serializers.IntegerField(help_text="Of all sessions together.")
    last_trained_at = serializers.DateTimeField(allow_null=True)
    trainer_types = serializers.ListField(child=serializers.CharField())


class ProjectSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    sessions = serializers.IntegerField()


class RenameSerializer(serializers.Serializer[Any]):
    """A project's name, and another one: in use it merges both, empty it dissolves the project."""

    name = serializers.CharField(max_length=LONGEST_PROJECT)
    to = serializers.CharField(max_length=LONGEST_PROJECT, allow_blank=True)


class RenamedSerializer(serializers.Serializer[Any]):
    moved = serializers.IntegerField(help_text="Sessions.")


class BulkSerializer(serializers.Serializer[Any]):
    """One action for many sessions; `value` is the tag or the project."""

    run_ids = serializers.ListField(child=serializers.CharField(max_length=64), allow_empty=False, max_length=bulk.MOST)
    action = serializers.ChoiceField(choices=bulk.BULK_ACTIONS)
    value = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)


class RefusedSerializer(serializers.Serializer[Any]):
    run_id = serializers.CharField()
    detail = serializers.CharField()


class BulkResultSerializer(serializers.Serializer[Any]):
    done = serializers.ListField(child=serializers.CharField())
    refused = RefusedSerializer(many=True)


class BehaviorsView(APIView):
    """Every behavior that was ever trained."""

    @extend_schema(responses={200: results_of(BehaviorEntrySerializer)}, operation_id="list_behaviors")
    def get(self, request: Request) -> Response:
        return Response({"results": [asdict(one) for one in behaviors.behavior_entries(request.user)]})


class ProjectsView(APIView):
    """The projects there are."""

    @extend_schema(responses={200: results_of(ProjectSerializer)}, operation_id="list_projects")
    def get(self, request: Request) -> Response:
        found = history.projects(sessions.visible_sessions(request.user))
        return Response({"results": [{"name": one.value, "sessions": one.count} for one in found]})

    @extend_schema(
        request=RenameSerializer, responses={200: RenamedSerializer, **ERRORS}, operation_id="rename_project"
    )
    def post(self, request: Request) -> Response:
        asked = RenameSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        return Response({"moved": projects.rename(data["name"], data["to"], by=request.user)})


class BulkView(APIView):
    """One action for many sessions: each that allows it gets it."""

    @extend_schema(
        request=BulkSerializer, responses={200: BulkResultSerializer, **ERRORS}, operation_id="change_sessions"
    )
    def post(self, request: Request) -> Response:
        asked = BulkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        return Response(asdict(bulk.apply(data["run_ids"], data["action"], data["value"], by=request.user)))
