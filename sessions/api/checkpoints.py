"""The routes of checkpoints: what there is, what may be asked of one, and those from outside."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.api.views import CONFLICT, ERRORS, detail_of
from sessions.errors import Missing
from sessions.models import Artifact, OutsideCheckpoint, TrainingSession
from sessions.selectors import sessions
from sessions.selectors.checkpoints import files_of_checkpoints
from sessions.selectors.outside import outside_shapes
from sessions.services import accounts, checkpoints, outside
from sessions.services.schedule import session_to_wait_for


class ReleaseShapeSerializer(serializers.Serializer[Any]):
    """Who said that a checkpoint is fit for use."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    note = serializers.CharField(allow_blank=True)


class CheckpointSerializer(shapes.ArtifactSerializer):
    """A file of a checkpoint, with what is known of the checkpoint."""

    attempt = serializers.IntegerField()
    smoothed = serializers.FloatField(allow_null=True, help_text="The mean of the last 5 summaries of the reward.")
    score = serializers.FloatField(allow_null=True, help_text="The same of the tag by which the best are kept.")
    best = serializers.IntegerField(allow_null=True, help_text="Its place among the best that are kept, from 1.")
    condition = serializers.CharField(
        allow_blank=True, help_text="whole, broken, blank, missing or changed; empty until its bytes were read."
    )
    at = serializers.DateTimeField(help_text="When it was saved.")
    released = ReleaseShapeSerializer(allow_null=True)


class ReleaseSerializer(serializers.Serializer[Any]):
    """The words of a release."""

    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=checkpoints.LONGEST_NOTE)


class OutsideCheckpointSerializer(serializers.Serializer[Any]):
    """A checkpoint, a model or a run's results folder that lies elsewhere."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    path = serializers.CharField(max_length=1024)
    kind = serializers.ChoiceField(choices=["pt", "onnx", "folder"], read_only=True)
    size = serializers.IntegerField(read_only=True)
    sha256 = serializers.CharField(read_only=True, help_text="Of a folder, over the digests of its checkpoints.")
    condition = serializers.CharField(read_only=True, help_text="whole, changed or missing, without reading it.")
    registered_by = serializers.CharField(read_only=True)
    registered_at = serializers.DateTimeField(read_only=True)


class CheckpointsView(APIView):
    """The checkpoints of all behaviors: their states and their models, those that are kept among them."""

    @extend_schema(responses={200: shapes.results_of(CheckpointSerializer), **ERRORS}, operation_id="list_checkpoints")
    def get(self, request: Request, run_id: str) -> Response:
        return Response({"results": files_of_checkpoints(sessions.session_named(run_id, request.user))})


class LookView(APIView):
    """Reads the files of all checkpoints and compares them with their digests; the list tells what was found."""

    @extend_schema(request=None, responses={202: None, **CONFLICT}, operation_id="look_at_checkpoints")
    def post(self, request: Request, run_id: str) -> Response:
        checkpoints.ask_for_a_look(sessions.session_named(run_id, request.user), by=request.user)
        return Response(status=202)


class ReleaseView(APIView):
    """The mark of a checkpoint that is fit for use: it is kept whatever it scores."""

    @extend_schema(
        request=ReleaseSerializer,
        responses={200: shapes.results_of(CheckpointSerializer), **ERRORS},
        operation_id="release_checkpoint",
    )
    def post(self, request: Request, run_id: str, key: int) -> Response:
        asked = ReleaseSerializer(data=_body(request))
        asked.is_valid(raise_exception=True)
        session, artifact = _found(request, run_id, key)
        checkpoints.release(session, artifact, by=request.user, note=asked.validated_data["note"])
        return Response({"results": files_of_checkpoints(session)})

    @extend_schema(responses={204: None, **ERRORS}, operation_id="take_back_release")
    def delete(self, request: Request, run_id: str, key: int) -> Response:
        session, artifact = _found(request, run_id, key)
        checkpoints.take_back(session, artifact, by=request.user)
        return Response(status=204)


class ResumeFromView(APIView):
    """A further attempt that goes on from a chosen checkpoint, with its step."""

    @extend_schema(
        request=shapes.ResumeSerializer,
        responses={200: shapes.SessionDetailSerializer, **CONFLICT},
        operation_id="resume_from_checkpoint",
    )
    def post(self, request: Request, run_id: str, key: int) -> Response:
        asked = shapes.ResumeSerializer(data=_body(request))
        asked.is_valid(raise_exception=True)
        session, artifact = _found(request, run_id, key)
        after = asked.validated_data.get("after")
        awaited = session_to_wait_for(after, waiting=session) if after else None
        checkpoints.resume_from(session, artifact, by=request.user, after=awaited)
        return Response(detail_of(run_id, request))


class OutsideView(APIView):
    """Checkpoints that lie elsewhere on this machine; a training can begin with one: initialize_from "outside:name"."""

    @extend_schema(
        responses={200: shapes.results_of(OutsideCheckpointSerializer)}, operation_id="list_outside_checkpoints"
    )
    def get(self, request: Request) -> Response:
        return Response({"results": outside_shapes()})

    @extend_schema(
        request=OutsideCheckpointSerializer,
        responses={201: OutsideCheckpointSerializer, **ERRORS},
        operation_id="register_outside_checkpoint",
    )
    def post(self, request: Request) -> Response:
        asked = OutsideCheckpointSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        known = outside.register(data["path"], by=accounts.signed_in(request.user), name=data["name"])
        return Response(next(one for one in outside_shapes() if one["id"] == known.pk), status=201)


class OutsideOneView(APIView):
    """One of them."""

    @extend_schema(responses={204: None, **ERRORS}, operation_id="forget_outside_checkpoint")
    def delete(self, request: Request, key: int) -> Response:
        known = OutsideCheckpoint.objects.filter(pk=key).first()
        if known is None:
            raise Missing("There is no such checkpoint.")
        outside.forget(known, by=accounts.signed_in(request.user))
        return Response(status=204)


def _found(request: Request, run_id: str, key: int) -> tuple[TrainingSession, Artifact]:
    session = sessions.session_named(run_id, request.user)
    artifact = checkpoints.artifact_named(session, key)
    if artifact is None:
        raise Missing("There is no such checkpoint.")
    return session, artifact


def _body(request: Request) -> Any:
    """Actions may be asked for without a body."""
    return request.data if request.content_type.startswith("application/json") else {}
