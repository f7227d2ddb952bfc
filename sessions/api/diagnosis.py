"""Why a session ended badly, what helps, and the same training once more."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.api.views import CONFLICT, ERRORS, detail_of
from sessions.domain.diagnosis.explain import Diagnosis
from sessions.selectors import sessions
from sessions.selectors.diagnosis import diagnosis_of
from sessions.selectors.health import findings_of, noticed_in
from sessions.services import accounts, repeating


class EvidenceSerializer(serializers.Serializer[Any]):
    source = serializers.CharField(help_text="The file.")  # type: ignore[assignment]
    line = serializers.IntegerField()
    text = serializers.CharField()


class RemedySerializer(serializers.Serializer[Any]):
    """What MENTOR can do about it."""

    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    way = serializers.ChoiceField(choices=["resume", "force", "anew", "earlier", "rename", "edit"])
    changes = serializers.DictField()
    settings = serializers.DictField(help_text="Of every behavior, by their paths in the configuration.")


class DiagnosisSerializer(serializers.Serializer[Any]):
    """Why the latest attempt ended badly; `id` is null when it did not."""

    id = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_blank=True)
    cause = serializers.CharField(allow_blank=True)
    fix = serializers.CharField(allow_blank=True)
    evidence = EvidenceSerializer(many=True)
    actions = RemedySerializer(many=True)
    further = serializers.ListField(child=serializers.CharField(), help_text="Titles of other causes that were found.")
    facts = serializers.ListField(child=serializers.CharField(), help_text="How things stood when it ended.")


class RemedyRequestSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=50, help_text="One of the diagnosis' actions.")


class CloneSerializer(shapes.StartSerializer):
    """What is different; everything else is as it was. Without a run id a free one is chosen."""

    run_id = serializers.CharField(max_length=64, required=False)
    resume = None  # type: ignore[assignment]
    force = None  # type: ignore[assignment]


def answer(diagnosis: Diagnosis | None) -> dict[str, Any]:
    """Return a diagnosis as the API answers it."""
    return asdict(diagnosis) if diagnosis else {**asdict(Diagnosis("", "", "", "", [])), "id": None}


class DiagnosisView(APIView):
    """Why the latest attempt ended badly, with evidence and a fix."""

    @extend_schema(responses={200: DiagnosisSerializer, **ERRORS}, operation_id="get_diagnosis")
    def get(self, request: Request, run_id: str) -> Response:
        return Response(answer(diagnosis_of(sessions.session_named(run_id, request.user))))


class HealthFindingSerializer(serializers.Serializer[Any]):
    """Something that is wrong while it trains."""

    kind = serializers.CharField()
    behavior = serializers.CharField()
    step = serializers.IntegerField()
    title = serializers.CharField()
    why = serializers.CharField()
    fix = serializers.CharField()
    tag = serializers.CharField(allow_blank=True, help_text="The curve that tells of it.")
    at = serializers.FloatField(help_text="The wall time of that step, seconds since 1970.")


class NoticedSerializer(HealthFindingSerializer):
    """Something that was wrong while it trained, as it was first noticed."""

    attempt = serializers.IntegerField(source="attempt.number")
    noticed_at = serializers.DateTimeField()


class HealthSerializer(serializers.Serializer[Any]):
    results = HealthFindingSerializer(
        many=True, help_text="What is wrong now; nothing of a session that does not train."
    )
    noticed = NoticedSerializer(many=True, help_text="What was, also of attempts that have ended.")


class HealthView(APIView):
    """What the curves of a session tell of."""

    @extend_schema(responses={200: HealthSerializer, **ERRORS}, operation_id="get_health")
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        found = {"results": findings_of(session), "noticed": noticed_in(session)}
        return Response(HealthSerializer(found).data)


class RemedyView(APIView):
    """Start again in a way that the diagnosis offers."""

    @extend_schema(
        request=RemedyRequestSerializer,
        responses={201: shapes.SessionDetailSerializer, **CONFLICT},
        operation_id="apply_remedy",
    )
    def post(self, request: Request, run_id: str) -> Response:
        asked = RemedyRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        session = sessions.session_named(run_id, request.user)
        started = repeating.remedy(session, asked.validated_data["id"], by=accounts.signed_in(request.user))
        return Response(detail_of(started.run_id, request), status=201)


class CloneView(APIView):
    """The same training under another run id."""

    @extend_schema(
        request=CloneSerializer,
        responses={201: shapes.SessionDetailSerializer, **CONFLICT},
        operation_id="clone_session",
    )
    def post(self, request: Request, run_id: str) -> Response:
        asked = CloneSerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        session = sessions.session_named(run_id, request.user)
        changes = shapes.request_fields(asked.validated_data)
        started = repeating.clone(session, by=accounts.signed_in(request.user), changes=changes)
        return Response(detail_of(started.run_id, request), status=201)
