"""Evaluations of checkpoints, and what models say of themselves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.serializers import results_of
from sessions.api.views import CONFLICT, ERRORS
from sessions.models.evaluation import STATES
from sessions.selectors import evaluations as found
from sessions.selectors import inspections as models
from sessions.selectors import sessions
from sessions.services import evaluations, inspections


class EvaluateSerializer(serializers.Serializer[Any]):
    """How a checkpoint is evaluated."""

    seeds = serializers.ListField(
        child=serializers.IntegerField(min_value=0),
        required=False,
        default=list(evaluations.SEEDS_CHOSEN),
        allow_empty=False,
        max_length=evaluations.MOST_SEEDS,
    )
    episodes = serializers.IntegerField(
        required=False, default=20, min_value=1, max_value=evaluations.MOST_EPISODES, help_text="With each seed."
    )
    minutes = serializers.FloatField(
        required=False, default=60.0, min_value=0.1, max_value=evaluations.MOST_MINUTES, help_text="At most, each seed."
    )
    environment = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The id of a registered build; the session's own environment when left out.",
    )


class StatisticsSerializer(serializers.Serializer[Any]):
    """Rewards of episodes; `std` is the sample's, `standard_error` that of the mean."""

    episodes = serializers.IntegerField()
    mean = serializers.FloatField()
    std = serializers.FloatField(allow_null=True)
    minimum = serializers.FloatField()
    maximum = serializers.FloatField()
    standard_error = serializers.FloatField(allow_null=True)


class SeedSerializer(serializers.Serializer[Any]):
    """The episodes with one seed."""

    seed = serializers.IntegerField()
    state = serializers.ChoiceField(choices=STATES)
    reason = serializers.CharField(allow_blank=True)
    run_id = serializers.CharField(help_text="Of the session that acts; it is removed when it was counted.")
    reward = StatisticsSerializer(allow_null=True)
    group_reward = StatisticsSerializer(allow_null=True)


class EvaluationSerializer(serializers.Serializer[Any]):
    """One evaluation of a checkpoint; the rewards are those of all seeds together."""

    id = serializers.IntegerField()
    checkpoint = serializers.IntegerField(allow_null=True, help_text="The id of the file; null when it is gone.")
    behavior = serializers.CharField()
    step = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=STATES)
    reason = serializers.CharField(allow_blank=True, help_text="Why it failed.")
    explanation = serializers.CharField(allow_blank=True, help_text="What it waits for, or does.")
    episodes = serializers.IntegerField(help_text="At least so many with each seed.")
    seeds = SeedSerializer(many=True)
    reward = StatisticsSerializer(allow_null=True)
    group_reward = StatisticsSerializer(allow_null=True)
    environment = serializers.CharField(allow_null=True)
    trainer = serializers.CharField()
    lessons = serializers.DictField(child=serializers.IntegerField())
    asked_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class EvaluateView(APIView):
    """A checkpoint acts, and learns nothing: how good it is."""

    @extend_schema(
        request=EvaluateSerializer,
        responses={201: EvaluationSerializer, **CONFLICT},
        operation_id="evaluate_checkpoint",
    )
    def post(self, request: Request, run_id: str, key: int) -> Response:
        asked = EvaluateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        session = sessions.session_named(run_id, request.user)
        evaluation = evaluations.evaluate(session, key, by=request.user, **asked.validated_data)
        return Response(asdict(found.evaluation_shape(evaluation.pk)), status=201)


class EvaluationsView(APIView):
    """The evaluations of a checkpoint, the newest first."""

    @extend_schema(responses={200: results_of(EvaluationSerializer), **ERRORS}, operation_id="list_evaluations")
    def get(self, request: Request, run_id: str, key: int) -> Response:
        session = sessions.session_named(run_id, request.user)
        return Response({"results": [asdict(one) for one in found.evaluations_of_checkpoint(session, key)]})


class ValueSerializer(serializers.Serializer[Any]):
    """An input or output of a model; a name in its shape stands for any size."""

    name = serializers.CharField()
    type = serializers.CharField(allow_blank=True)
    shape = serializers.ListField(child=serializers.JSONField(), allow_null=True)


class ModelSerializer(serializers.Serializer[Any]):
    """What a model says of itself, once `state` is ready."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    behavior = serializers.CharField()
    step = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=[models.WAITS, models.READY, models.FAILED])
    problem = serializers.CharField(allow_blank=True, help_text="Why the file says nothing.")
    size = serializers.IntegerField(allow_null=True)
    producer = serializers.CharField(allow_blank=True)
    opset = serializers.IntegerField(allow_null=True)
    inputs = ValueSerializer(many=True)
    outputs = ValueSerializer(many=True)
    constants = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField()),
        help_text="Outputs that never change, such as version_number and memory_size.",
    )
    parameters = serializers.IntegerField(allow_null=True)
    nodes = serializers.IntegerField(allow_null=True)
    metadata = serializers.DictField(child=serializers.CharField(allow_blank=True))


class ModelView(APIView):
    """What an .onnx file says of itself. A worker looks into it when it is first asked for; until then it waits."""

    @extend_schema(responses={200: ModelSerializer, **ERRORS}, operation_id="get_model")
    def get(self, request: Request, run_id: str, key: int) -> Response:
        session = sessions.session_named(run_id, request.user)
        shape = models.model_of(session, key)
        inspections.ask_for(session, [shape])
        return Response(asdict(shape))
