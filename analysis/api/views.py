"""What sessions mean, by REST."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.rewards import reward_rows
from sessions.selectors import sessions


class SummaryView(APIView):
    """Final, best and last reward of each behavior, with the time and steps to them."""

    @extend_schema(responses={200: dict}, operation_id="get_summary")
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
