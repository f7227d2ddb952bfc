"""The REST routes of sessions: thin edges over services and selectors."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api import serializers as shapes
from sessions.domain.command import as_shell
from sessions.errors import InvalidInput, MentorError
from sessions.models import SessionEvent
from sessions.selectors import console, files, history, machine, sessions
from sessions.selectors.listing import Chosen
from sessions.selectors.shapes import as_plain
from sessions.services import (
    accounts,
    actions,
    batches,
    editing,
    environments,
    planning,
    preflight,
    rules,
    starting,
    trainers,
)

ERRORS = {400: shapes.ErrorSerializer, 403: shapes.ErrorSerializer, 404: shapes.ErrorSerializer}
CONFLICT = {**ERRORS, 409: shapes.ErrorSerializer}
FILTERS = [
    OpenApiParameter("state", str, many=True, description="A state, or pending, active, ended."),
    OpenApiParameter("behavior", str),
    OpenApiParameter("trainer", str),
    OpenApiParameter("environment", str),
    OpenApiParameter("tag", str),
    OpenApiParameter("project", str),
    OpenApiParameter("text", str, description="Looked for in run id, name, notes, tags and explanation."),
    OpenApiParameter("created_after", str),
    OpenApiParameter("created_before", str),
    OpenApiParameter("order", str, enum=list(history.ORDERS)),
    OpenApiParameter("archived", str, enum=list(history.SHELVES), description="Left out unless true or any."),
    OpenApiParameter("trash", bool),
    OpenApiParameter("page", int),
    OpenApiParameter("page_size", int),
]


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500


def detail_of(run_id: str, request: Request) -> dict[str, Any]:
    """Return one session whole, as the API answers it."""
    return asdict(sessions.session_detail(sessions.session_named(run_id, request.user)))


class SessionsView(APIView):
    """All sessions, and the start of a new one."""

    @extend_schema(
        parameters=FILTERS,
        responses={200: shapes.SessionPageSerializer, **ERRORS},
        operation_id="list_sessions",
    )
    def get(self, request: Request) -> Response:
        rows = sessions.sessions_with_parts(request.user)
        found = history.filtered(rows, request.query_params)
        if not found.is_valid():
            raise InvalidInput("The filter is wrong.", errors={k: list(v) for k, v in found.errors.items()})
        pages = Pages()
        page = pages.paginate_queryset(Chosen(found.qs, rows), request, view=self) or []
        return pages.get_paginated_response([as_plain(sessions.session_shape(session)) for session in page])

    @extend_schema(
        request=shapes.StartSerializer,
        responses={201: shapes.SessionDetailSerializer, **CONFLICT},
        operation_id="start_session",
    )
    def post(self, request: Request) -> Response:
        asked = shapes.StartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        session = starting.start_session(asked.request(), by=accounts.signed_in(request.user))
        return Response(detail_of(session.run_id, request), status=201)


class PreviewView(APIView):
    """What a start would do, without doing it."""

    @extend_schema(
        request=shapes.StartSerializer,
        responses={200: shapes.PreviewSerializer, **CONFLICT},
        operation_id="preview_session",
    )
    def post(self, request: Request) -> Response:
        asked = shapes.StartSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        by = accounts.signed_in(request.user)
        plan = planning.plan_start(asked.request(), by=by)
        told = {"command": plan.command, "shell": as_shell(plan.command), "notices": plan.notices}
        return Response({**told, **shapes.PreflightSerializer(preflight.preflight(plan, by=by)).data})


class SessionView(APIView):
    """One session."""

    @extend_schema(responses={200: shapes.SessionDetailSerializer, **ERRORS}, operation_id="get_session")
    def get(self, request: Request, run_id: str) -> Response:
        return Response(detail_of(run_id, request))

    @extend_schema(
        request=shapes.EditSerializer,
        responses={200: shapes.SessionDetailSerializer, **ERRORS},
        operation_id="edit_session",
    )
    def patch(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        editing.require_permission(request.user, "training.start_session")
        changes = shapes.EditSerializer(data=request.data)
        changes.is_valid(raise_exception=True)
        if "rules" in changes.validated_data:
            rules.change(session, changes.validated_data["rules"], by=request.user.get_username())
        editing.edit(session, changes.validated_data, by=request.user.get_username())
        return Response(detail_of(run_id, request))

    @extend_schema(responses={204: None, **CONFLICT}, operation_id="trash_session")
    def delete(self, request: Request, run_id: str) -> Response:
        actions.ask(sessions.session_named(run_id, request.user), "trash", by=request.user)
        return Response(status=204)


class ActionView(APIView):
    """Something asked of a session; answers with the session as it then stands."""

    asked = ""

    @extend_schema(request=None, responses={200: shapes.SessionDetailSerializer, **CONFLICT})
    def post(self, request: Request, run_id: str) -> Response:
        actions.ask(sessions.session_named(run_id, request.user), self.asked, by=request.user)
        return Response(detail_of(run_id, request))


class ResumeView(ActionView):
    """A further attempt, at once or when another session has ended."""

    @extend_schema(
        request=shapes.ResumeSerializer,
        responses={200: shapes.SessionDetailSerializer, **CONFLICT},
        operation_id="resume_session",
    )
    def post(self, request: Request, run_id: str) -> Response:
        told = (
            request.data if request.content_type.startswith("application/json") else {}
        )  # like other actions, without a body
        asked = shapes.ResumeSerializer(data=told)
        asked.is_valid(raise_exception=True)
        session = sessions.session_named(run_id, request.user)
        actions.ask(session, self.asked, by=request.user, after=asked.validated_data.get("after"))
        return Response(detail_of(run_id, request))


class LogView(APIView):
    """The console, from an offset in bytes."""

    @extend_schema(
        parameters=[shapes.ConsoleQuerySerializer],
        responses={200: shapes.ConsoleSerializer, **ERRORS},
        operation_id="get_log",
    )
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        query = shapes.ConsoleQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        part = console.console_part(session, after=asked["after"], limit=asked["limit"], number=asked["attempt"])
        return Response(asdict(part))


class AttemptsView(APIView):
    """The session's attempts."""

    @extend_schema(responses={200: shapes.results_of(shapes.AttemptSerializer), **ERRORS}, operation_id="list_attempts")
    def get(self, request: Request, run_id: str) -> Response:
        return Response({"results": detail_of(run_id, request)["attempts"]})


class EventsView(APIView):
    """Every change of state: when, by whom and why."""

    @extend_schema(responses={200: shapes.results_of(shapes.EventSerializer), **ERRORS}, operation_id="list_events")
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        events = SessionEvent.objects.filter(session=session).select_related("attempt")
        return Response({"results": [_event(event) for event in events]})


def _event(event: SessionEvent) -> dict[str, Any]:
    return {
        "at": event.at,
        "attempt": event.attempt.number if event.attempt else None,
        "from_state": event.from_state,
        "to_state": event.to_state,
        "who": event.who,
        "why": event.why,
    }


class ArtifactsView(APIView):
    """Models and checkpoints."""

    @extend_schema(
        responses={200: shapes.results_of(shapes.ArtifactSerializer), **ERRORS}, operation_id="list_artifacts"
    )
    def get(self, request: Request, run_id: str) -> Response:
        return Response({"results": files.artifacts_of(sessions.session_named(run_id, request.user))})


class ConfigView(APIView):
    """The configuration the user gave and the one that was used."""

    @extend_schema(responses={200: shapes.ConfigSerializer, **ERRORS}, operation_id="get_config")
    def get(self, request: Request, run_id: str) -> Response:
        session = sessions.session_named(run_id, request.user)
        given, used = bytes(session.config_given), bytes(session.config_used)
        return Response(
            {
                "name": session.config_name,
                "given": given.decode("utf-8", "replace"),
                "used": used.decode("utf-8", "replace"),
                "changed": given != used,
            }
        )


class TrainersView(APIView):
    """Installations that can train."""

    @extend_schema(responses={200: shapes.results_of(shapes.TrainerSerializer)}, operation_id="list_trainers")
    def get(self, request: Request) -> Response:
        return Response({"results": [asdict(trainer) for trainer in machine.trainer_shapes()]})

    @extend_schema(
        request=shapes.TrainerSerializer,
        responses={201: shapes.TrainerSerializer, **ERRORS},
        operation_id="register_trainer",
    )
    def post(self, request: Request) -> Response:
        asked = shapes.TrainerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        trainer = trainers.register(data["interpreter"], name=data["name"], by=accounts.signed_in(request.user))
        shape = next(one for one in machine.trainer_shapes() if one.id == trainer.pk)
        return Response(asdict(shape), status=201)


class EnvironmentsView(APIView):
    """Builds that trainers may start."""

    @extend_schema(responses={200: shapes.results_of(shapes.EnvironmentSerializer)}, operation_id="list_environments")
    def get(self, request: Request) -> Response:
        return Response({"results": [asdict(environment) for environment in machine.environment_shapes()]})

    @extend_schema(
        request=shapes.EnvironmentSerializer,
        responses={201: shapes.EnvironmentSerializer, **ERRORS},
        operation_id="register_environment",
    )
    def post(self, request: Request) -> Response:
        asked = shapes.EnvironmentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            path = environments.resolve(asked.validated_data["path"])
        except MentorError as error:
            raise InvalidInput(error.detail, hint=error.hint, errors={"path": [error.detail]}) from error
        environment = environments.register(
            path, by=accounts.signed_in(request.user), name=asked.validated_data["name"]
        )
        shape = next(one for one in machine.environment_shapes() if one.id == environment.pk)
        return Response(asdict(shape), status=201)


class SystemView(APIView):
    """How this machine stands."""

    @extend_schema(responses={200: shapes.SystemSerializer}, operation_id="get_system")
    def get(self, request: Request) -> Response:
        return Response(asdict(machine.system_shape()))


class QueueView(APIView):
    """What waits for a slot, in the order in which it will get one."""

    @extend_schema(responses={200: shapes.results_of(shapes.SessionSerializer)}, operation_id="get_queue")
    def get(self, request: Request) -> Response:
        return Response({"results": [asdict(one) for one in sessions.queued_sessions(request.user)]})


class MoveView(APIView):
    """A waiting session's place in the queue."""

    @extend_schema(
        request=shapes.MoveSerializer,
        responses={200: shapes.SessionDetailSerializer, **CONFLICT},
        operation_id="move_session",
    )
    def post(self, request: Request, run_id: str) -> Response:
        asked = shapes.MoveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        actions.move(sessions.session_named(run_id, request.user), asked.validated_data["index"], by=request.user)
        return Response(detail_of(run_id, request))


class ScheduleView(APIView):
    """When a waiting session may start."""

    @extend_schema(
        request=shapes.ScheduleSerializer,
        responses={200: shapes.SessionDetailSerializer, **CONFLICT},
        operation_id="schedule_session",
    )
    def post(self, request: Request, run_id: str) -> Response:
        asked = shapes.ScheduleSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        session = sessions.session_named(run_id, request.user)
        actions.set_schedule(session, at=data["start_at"], after=data["start_after"], by=request.user)
        return Response(detail_of(run_id, request))


class BatchView(APIView):
    """Several sessions at once: all are queued, or none."""

    @extend_schema(
        request=shapes.BatchSerializer,
        responses={201: shapes.results_of(shapes.SessionSerializer), **CONFLICT},
        operation_id="start_sessions",
    )
    def post(self, request: Request) -> Response:
        asked = shapes.BatchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        started = batches.start_many(
            asked.requests(), by=accounts.signed_in(request.user), sequential=asked.validated_data["sequential"]
        )
        found = sessions.sessions_with_parts(request.user).filter(pk__in=[one.pk for one in started])
        shaped = {one.pk: asdict(sessions.session_shape(one)) for one in found}
        return Response({"results": [shaped[one.pk] for one in started]}, status=201)
