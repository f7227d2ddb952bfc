"""The route that looks at everything before a start, the trainer's own parser included."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.services import accounts, planning, preflight

ERRORS = {400: shapes.ErrorSerializer, 403: shapes.ErrorSerializer, 409: shapes.ErrorSerializer}


class PreflightView(APIView):
    """Every check of a start. While `parser` or `connection` is waits, a worker asks them: ask again."""

    @extend_schema(
        request=shapes.StartSerializer,
        responses={200: shapes.PreflightSerializer, **ERRORS},
        operation_id="check_session",
    )
    def post(self, request: Request) -> Response:
        asked = shapes.StartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        by = accounts.signed_in(request.user)
        plan = planning.plan_start(asked.request(), by=by)
        preflight.ask(plan)
        return Response(shapes.PreflightSerializer(preflight.preflight(plan, by=by)).data)
