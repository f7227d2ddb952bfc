"""What sessions mean, by REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.rewards import reward_rows
from sessions.selectors import sessions


class BehaviorSummarySerializer(serializers.Serializer[Any]):
    """Rewards in their own unit, times in seconds since the first summary."""

    behavior = serializers.CharField()
    points = serializers.IntegerField()
    first = serializers.FloatField()
    last = serializers.FloatField()
    final = serializers.FloatField(help_text="Mean of the last 10 % of the points.")
    best = serializers.FloatField()
    best_step = serializers.IntegerField()
    best_seconds = serializers.FloatField()
    last_step = serializers.IntegerField()
    seconds = serializers.FloatField()
    reach_step = serializers.IntegerField(allow_null=True, help_text="First at 90 % of the way from first to best.")
    reach_seconds = serializers.FloatField(allow_null=True)


class SummarySerializer(serializers.Serializer[Any]):
    run_id = serializers.CharField()
    state = serializers.CharField()
    elapsed_seconds = serializers.FloatField(allow_null=True)
    behaviors = BehaviorSummarySerializer(many=True)


class SummaryView(APIView):
    """Final, best and last reward of each behavior, with the time and steps to them."""

    @extend_schema(responses={200: SummarySerializer}, operation_id="get_summary")
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        detail = sessions.session_detail(session)
        rows = [row.flat() for row in reward_rows(session)]
        return Response(
            {
                "run_id": run_id,
                "state": detail.state,
                "elapsed_seconds": detail.elapsed_seconds,
                "behaviors": rows,
            }
        )
