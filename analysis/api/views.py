"""What sessions mean, by REST."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.history import BehaviorHistory, histories
from analysis.rewards import reward_rows
from sessions.selectors import sessions


class EloSerializer(serializers.Serializer[Any]):
    """The rating of the learning policy in self-play."""

    first = serializers.FloatField()
    best = serializers.FloatField()
    last = serializers.FloatField()


class WinRateSerializer(serializers.Serializer[Any]):
    """A rolling win rate from 0 to 1."""

    kind = serializers.ChoiceField(
        choices=["signal", "elo"], help_text="A tag that says so, or expected from ELO against the policies before."
    )
    tag = serializers.CharField()
    window = serializers.IntegerField(help_text="Summaries that each value looks back.")
    best = serializers.FloatField()
    last = serializers.FloatField()
    steps = serializers.ListField(child=serializers.IntegerField())
    values = serializers.ListField(child=serializers.FloatField())


class StaySerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    name = serializers.CharField()
    first_step = serializers.IntegerField()
    last_step = serializers.IntegerField()
    seconds = serializers.FloatField()


class CourseSerializer(serializers.Serializer[Any]):
    """The lessons of one environment parameter, in the order in which they were trained."""

    parameter = serializers.CharField(allow_blank=True, help_text="Empty is the whole behavior, until 0.17.")
    lessons = serializers.IntegerField(allow_null=True, help_text="How many the configuration has.")
    stays = StaySerializer(many=True)


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
    episodes = serializers.IntegerField(allow_null=True)
    episodes_estimated = serializers.BooleanField(help_text="From steps and mean episode lengths, not counted.")
    elo = EloSerializer(allow_null=True)
    win_rates = WinRateSerializer(many=True)
    lessons = CourseSerializer(many=True)


class SummarySerializer(serializers.Serializer[Any]):
    run_id = serializers.CharField()
    state = serializers.CharField()
    elapsed_seconds = serializers.FloatField(allow_null=True)
    behaviors = BehaviorSummarySerializer(many=True)


class SummaryView(APIView):
    """Of each behavior: rewards with the time and steps to them, episodes, ELO, win rates, lessons."""

    @extend_schema(responses={200: SummarySerializer}, operation_id="get_summary")
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        detail = sessions.session_detail(session)
        found = histories(session)
        rows = [row.flat() | _further(found.get(row.behavior)) for row in reward_rows(session)]
        return Response(
            {
                "run_id": run_id,
                "state": detail.state,
                "elapsed_seconds": detail.elapsed_seconds,
                "behaviors": rows,
            }
        )


def _further(history: BehaviorHistory | None) -> dict[str, Any]:
    history = history or BehaviorHistory("")
    return {
        "episodes": history.episodes.count if history.episodes else None,
        "episodes_estimated": bool(history.episodes and history.episodes.estimated),
        "elo": asdict(history.elo) if history.elo else None,
        "win_rates": [asdict(one) for one in history.win_rates],
        "lessons": [
            {"parameter": one.parameter, "lessons": one.lessons, "stays": [asdict(stay) for stay in one.stays]}
            for one in history.courses
        ],
    }
