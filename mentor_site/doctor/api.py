"""What `doctor` finds, by REST."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mentor_site.doctor.findings import LEVELS
from mentor_site.doctor.pages import require_staff
from sessions.api.serializers import ErrorSerializer

app_name = "doctor-api"


class DoctorFindingSerializer(serializers.Serializer[Any]):
    """One thing that was looked at."""

    subject = serializers.CharField()
    level = serializers.ChoiceField(choices=LEVELS)
    title = serializers.CharField()
    what = serializers.CharField()
    why = serializers.CharField(allow_blank=True)
    fix = serializers.CharField(allow_blank=True)


class DoctorSerializer(serializers.Serializer[Any]):
    """How the machine stands: the worst level, and everything that was looked at, also what is right."""

    level = serializers.ChoiceField(choices=LEVELS)
    findings = DoctorFindingSerializer(many=True)


class DoctorView(APIView):
    """What is wrong with this machine or set-up. For staff; takes up to 15 seconds when something hangs."""

    @extend_schema(responses={200: DoctorSerializer, 403: ErrorSerializer}, operation_id="get_doctor")
    def get(self, request: Request) -> Response:
        from mentor_site.doctor import examination  # it would cost every page of the web process its memory

        require_staff(request)
        return Response(examination.examine().as_json())


urlpatterns = [path("doctor/", DoctorView.as_view(), name="doctor")]
