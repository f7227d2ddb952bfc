"""The REST routes of series: those of one session, and the same tags of many."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.serializers import ErrorSerializer
from sessions.selectors import across, seconds, series, sessions, stitching

ERRORS = {400: ErrorSerializer, 403: ErrorSerializer, 404: ErrorSerializer}
MOST_SESSIONS, MOST_TAGS = 500, 200
CHOICES = {"tag", "behavior", "points", "from", "to"}


class TagsSerializer(serializers.Serializer[Any]):
    """Which series are asked for."""

    tag = serializers.ListField(
        child=serializers.CharField(max_length=255), required=False, max_length=MOST_TAGS, help_text="One or several."
    )
    behavior = serializers.CharField(
        required=False, allow_blank=True, max_length=255, help_text="Empty for what the whole attempt takes."
    )
    points = serializers.IntegerField(
        required=False, min_value=2, max_value=100_000, help_text="Thin each to about so many; extremes and gaps stay."
    )


class MetricsQuerySerializer(TagsSerializer):
    after = serializers.CharField(required=False, allow_blank=True, default="", help_text="A cursor.")
    relative = serializers.BooleanField(default=False, help_text="Answer the seconds of training as well.")

    def get_fields(self) -> dict[str, Any]:
        """Python keeps the word `from` for itself."""
        return {**super().get_fields(), "from": _step("The first step wanted."), "to": _step("The last step wanted.")}


def _step(wanted: str) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=-(2**63), max_value=2**63 - 1, help_text=wanted)


class AcrossQuerySerializer(TagsSerializer):
    sessions = serializers.CharField(max_length=MOST_SESSIONS * 65, help_text="Run ids, with commas between them.")

    def validate_sessions(self, text: str) -> list[str]:
        """Return the run ids, each once."""
        names = list(dict.fromkeys(name for name in text.split(",") if name))
        if not names or len(names) > MOST_SESSIONS:
            raise serializers.ValidationError(f"Name 1 to {MOST_SESSIONS} sessions.")
        return names


class StandSerializer(serializers.Serializer[Any]):
    behavior = serializers.CharField()
    tag = serializers.CharField()
    count = serializers.IntegerField(required=False)
    last_step = serializers.IntegerField(required=False, allow_null=True)
    last_value = serializers.FloatField(required=False, allow_null=True)
    min_value = serializers.FloatField(required=False, allow_null=True)
    max_value = serializers.FloatField(required=False, allow_null=True)
    steps = serializers.ListField(child=serializers.IntegerField(), required=False)
    values = serializers.ListField(child=serializers.FloatField(allow_null=True), required=False)
    wall_times = serializers.ListField(child=serializers.FloatField(), required=False)
    seconds = serializers.ListField(
        child=serializers.FloatField(), required=False, help_text="Of training, without the pauses between attempts."
    )


class SeriesSerializer(StandSerializer):
    """A series; steps, values and wall times are there when points were asked for, else what is told without them."""

    attempt = serializers.IntegerField()


class CurveSerializer(StandSerializer):
    """One tag of a session, its attempts as one curve; extremes are those of all its points."""

    run_id = serializers.CharField()


class SeamSerializer(serializers.Serializer[Any]):
    """Where a further attempt took a behavior's curve on."""

    behavior = serializers.CharField()
    attempt = serializers.IntegerField()
    step = serializers.IntegerField()


class MetricsSerializer(serializers.Serializer[Any]):
    series = SeriesSerializer(many=True)
    seams = SeamSerializer(many=True)
    cursor = serializers.CharField(required=False)


class AcrossSerializer(serializers.Serializer[Any]):
    series = CurveSerializer(many=True)


class MetricsView(APIView):
    """The series there are; with a tag, a behavior, steps, `points` or `after`, their points."""

    @extend_schema(
        parameters=[MetricsQuerySerializer],
        responses={200: MetricsSerializer, **ERRORS},
        operation_id="get_metrics",
    )
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        query = MetricsQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        seams = [vars(seam) for seam in stitching.seams_of(session)]
        if not CHOICES & set(asked) and "after" not in request.query_params:
            return Response({"series": series.as_json(series.series_shapes(session)), "seams": seams})
        points, cursor = series.points_after(
            session,
            asked["after"],
            tag=asked.get("tag"),
            behavior=asked.get("behavior"),
            points=asked.get("points"),
            steps=(asked.get("from"), asked.get("to")),
        )
        found = seconds.with_seconds(session, points) if asked["relative"] else series.as_json(points)
        return Response({"series": found, "seams": seams, "cursor": cursor})


class AcrossView(APIView):
    """The same tags of many sessions: how they stand, and with `points` their curves."""

    @extend_schema(
        parameters=[AcrossQuerySerializer],
        responses={200: AcrossSerializer, **ERRORS},
        operation_id="get_metrics_of_many",
    )
    def get(self, request: Request) -> Response:
        query = AcrossQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        chosen = across.sessions_named(asked.pop("sessions"), request.user)
        found = across.curves_of(chosen, **asked) if "points" in asked else across.stands_of(chosen, **asked)
        return Response({"series": [vars(one) for one in found]})
