"""What would make a session faster, and trials of settings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.api.views import CONFLICT, ERRORS
from sessions.models.trial import RUN_STATES, STATES
from sessions.selectors import sessions
from sessions.selectors import trials as found
from sessions.selectors.advice import advice_of
from sessions.services import accounts, trials


class PieceSerializer(serializers.Serializer[Any]):
    """A piece of advice; `changes` are what POST …/clone/ takes."""

    id = serializers.CharField()
    title = serializers.CharField()
    why = serializers.CharField(help_text="The figures that speak for it.")
    change = serializers.CharField(help_text="What to change, and what to mind.")
    changes = serializers.DictField()
    gain = serializers.FloatField(allow_null=True, help_text="How many times as fast it can be at most.")


class AdviceSerializer(serializers.Serializer[Any]):
    """What would make a session faster, and how it is known."""

    basis = serializers.CharField(help_text="What the advice rests on, and what is not known.")
    shares = serializers.DictField(child=serializers.FloatField(), help_text="Where the time went, as shares of 1.")
    advice = PieceSerializer(many=True)


class BeginTrialSerializer(shapes.StartSerializer):
    """The start of a training whose fastest settings are looked for; nothing of it is started."""

    measure_seconds = serializers.FloatField(
        required=False, default=trials.SECONDS, min_value=trials.LEAST_SECONDS, max_value=trials.MOST_SECONDS
    )


class TrialRunSerializer(serializers.Serializer[Any]):
    """One setting that is tried."""

    num_envs = serializers.IntegerField()
    time_scale = serializers.FloatField(allow_null=True)
    device = serializers.CharField(allow_null=True)
    words = serializers.CharField()
    state = serializers.ChoiceField(choices=RUN_STATES)
    reason = serializers.CharField(allow_blank=True, help_text="Why there is no speed.")
    run_id = serializers.CharField(allow_blank=True, help_text="Of its session, which is removed once it was measured.")
    steps_per_second = serializers.FloatField(allow_null=True)
    error = serializers.FloatField(allow_null=True, help_text="The standard error of the speed.")
    seconds = serializers.FloatField(allow_null=True, help_text="How long was measured.")
    cpu_percent = serializers.FloatField(allow_null=True, help_text="Of one core.")
    memory_bytes = serializers.FloatField(allow_null=True)
    gpu_percent = serializers.FloatField(allow_null=True)
    beside = serializers.BooleanField(help_text="Whether other trainings ran meanwhile.")
    proposed = serializers.BooleanField()
    present = serializers.BooleanField(help_text="Whether it is the setting that others are compared with.")


class TrialSerializer(serializers.Serializer[Any]):
    """A search for the fastest settings of a training."""

    id = serializers.IntegerField()
    run_id = serializers.CharField()
    session = serializers.CharField(allow_null=True, help_text="The session it was asked for from.")
    state = serializers.ChoiceField(choices=STATES)
    explanation = serializers.CharField(allow_blank=True)
    environment = serializers.CharField()
    trainer = serializers.CharField()
    measure_seconds = serializers.FloatField()
    runs = TrialRunSerializer(many=True)
    proposal = serializers.CharField(allow_blank=True, help_text="What came out, in a sentence.")
    gain = serializers.FloatField(allow_null=True, help_text="How many times as fast as the settings of now.")
    changes = serializers.DictField(help_text="The fields of a start that are proposed to be changed.")
    asked_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class AdviceView(APIView):
    """What would make a session faster: of one that ended, from its timers too."""

    @extend_schema(responses={200: AdviceSerializer, **ERRORS}, operation_id="get_advice")
    def get(self, request: Request, run_id: str) -> Response:
        return Response(asdict(advice_of(sessions.session_named(run_id, request.user))))


class TrialsView(APIView):
    """The newest trials, and the beginning of one."""

    @extend_schema(responses={200: shapes.results_of(TrialSerializer), **ERRORS}, operation_id="list_trials")
    def get(self, request: Request) -> Response:
        return Response({"results": [asdict(one) for one in found.newest_trials(request.user)]})

    @extend_schema(
        request=BeginTrialSerializer, responses={201: TrialSerializer, **CONFLICT}, operation_id="begin_trial"
    )
    def post(self, request: Request) -> Response:
        asked = BeginTrialSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        seconds = asked.validated_data.pop("measure_seconds")
        trial = trials.begin(asked.request(), by=accounts.signed_in(request.user), seconds=seconds)
        return Response(asdict(found.trial_shape(trial)), status=201)


class TrialView(APIView):
    """One trial, as far as it is."""

    @extend_schema(responses={200: TrialSerializer, **ERRORS}, operation_id="get_trial")
    def get(self, request: Request, key: int) -> Response:
        return Response(asdict(found.trial_shape(found.trial_with(key, request.user))))


class StopTrialView(APIView):
    """Call a trial off; again it changes nothing."""

    @extend_schema(request=None, responses={200: TrialSerializer, **CONFLICT}, operation_id="stop_trial")
    def post(self, request: Request, key: int) -> Response:
        trial = trials.stop(found.trial_with(key, request.user), by=accounts.signed_in(request.user))
        return Response(asdict(found.trial_shape(trial)))
