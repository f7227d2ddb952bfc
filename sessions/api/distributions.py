"""The histograms and texts of a session."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.selectors import distributions, sessions

ERRORS = {400: shapes.ErrorSerializer, 403: shapes.ErrorSerializer, 404: shapes.ErrorSerializer}


class DistributionQuerySerializer(serializers.Serializer[Any]):
    tag = serializers.CharField(required=False, max_length=255)
    behavior = serializers.CharField(required=False, allow_blank=True, max_length=255)


class DistributionSerializer(serializers.Serializer[Any]):
    """A series of histograms; the last three are there when a tag or behavior was asked for."""

    behavior = serializers.CharField()
    tag = serializers.CharField()
    attempt = serializers.IntegerField()
    count = serializers.IntegerField(required=False)
    last_step = serializers.IntegerField(required=False)
    steps = serializers.ListField(child=serializers.IntegerField(), required=False)
    wall_times = serializers.ListField(child=serializers.FloatField(allow_null=True), required=False)
    buckets = serializers.ListField(
        child=serializers.ListField(child=serializers.ListField(child=serializers.FloatField(allow_null=True))),
        required=False,
        help_text="For each step its buckets: left edge, right edge and count.",
    )


class DistributionsSerializer(serializers.Serializer[Any]):
    series = DistributionSerializer(many=True)


class TextSerializer(serializers.Serializer[Any]):
    behavior = serializers.CharField()
    tag = serializers.CharField()
    attempt = serializers.IntegerField()
    step = serializers.IntegerField()
    wall_time = serializers.FloatField(allow_null=True)
    text = serializers.CharField(allow_blank=True)


class HistogramsView(APIView):
    """The series of histograms there are; with a tag or a behavior, their histograms, evenly spread over the steps."""

    @extend_schema(
        parameters=[DistributionQuerySerializer],
        responses={200: DistributionsSerializer, **ERRORS},
        operation_id="get_histograms",
    )
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        asked = _asked(request)
        found = distributions.histograms_of(session, **asked) if asked else distributions.distributions_of(session)
        return Response({"series": [asdict(one) for one in found]})


class TextsView(APIView):
    """What the trainer wrote down in words, such as its hyperparameters; the newest first."""

    @extend_schema(
        parameters=[DistributionQuerySerializer],
        responses={200: shapes.results_of(TextSerializer), **ERRORS},
        operation_id="get_texts",
    )
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        return Response({"results": [asdict(one) for one in distributions.texts_of(session, **_asked(request))]})


def _asked(request: Request) -> dict[str, str]:
    query = DistributionQuerySerializer(data=request.query_params)
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)
