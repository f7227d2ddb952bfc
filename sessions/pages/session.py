"""One session: its page, its rules, its console, its buttons."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST, require_safe

from sessions.domain.command import as_shell
from sessions.domain.numbers import natural
from sessions.downloads import TEXT, whole_file
from sessions.models import SessionEvent, TrainingSession
from sessions.pages import contexts
from sessions.pages.rules_form import RulesForm, initial_rules
from sessions.pages.showing import show
from sessions.selectors import console, machine, series, sessions
from sessions.selectors.advice import advice_of
from sessions.selectors.checkpoints import checkpoints_of, other_files
from sessions.selectors.diagnosis import diagnosis_of
from sessions.selectors.evaluations import evaluations_of
from sessions.selectors.health import findings_of, marks_of, noticed_in
from sessions.selectors.imports import source_of
from sessions.selectors.inspections import ModelShape, models_of
from sessions.selectors.scores import keeping_in_words
from sessions.selectors.trials import trials_of
from sessions.services import (
    actions,
    bulk,
    editing,
    inspections,
    rules,
)

TAIL_BYTES = 64 * 1024
CURVE_POINTS = 1000
SAID = {
    "stop": "Asked {} to stop. It saves its model first.",
    "pause": "Asked {} to pause. It saves its model first.",
    "hold": "{} keeps its place, but is not started before it is released.",
    "release": "{} may start.",
    "kill": "{} is ended at once; what it learned since its last checkpoint is lost.",
    "resume": "{} goes on from what it saved last.",
    "archive": "{} is in the archive; its files are compressed and stay readable.",
    "unarchive": "{} is back in the lists.",
    "trash": "{} is in the trash; its files stay where they are.",
    "restore": "{} is back in the history.",
}


@require_safe
def session_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """One session."""
    session = sessions.session_named(run_id, request.user)
    return _session_page(request, session, RulesForm(initial=initial_rules(session.rules)))


@require_POST
def change_rules(request: HttpRequest, run_id: str) -> HttpResponse:
    """The form of a session's rules: replaces them, also while it trains."""
    session = sessions.session_named(run_id, request.user)
    editing.require_permission(request.user, "training.start_session")
    form = RulesForm(request.POST)
    if not form.is_valid():
        return _session_page(request, session, form)
    rules.change(session, form.asked_rules(), by=request.user.get_username())
    messages.success(request, f"The rules of {session.run_id} hold from now on.")
    return redirect(session)


def _session_page(request: HttpRequest, session: TrainingSession, rules_form: RulesForm) -> HttpResponse:
    detail = sessions.session_detail(session)
    log = _console_tail(session)
    points, cursor = series.points_after(session, points=CURVE_POINTS)
    noticed = noticed_in(session)
    given, used = bytes(session.config_given), bytes(session.config_used)
    page = contexts.SessionPage(
        session=detail,
        live={
            "socket": f"/ws/sessions/{session.run_id}/",
            "session": asdict(detail),
            "log": {"attempt": log.attempt, "offset": log.offset, "next": log.next_offset},
            "points": {"cursor": cursor, "series": series.as_json(points)},
            "marks": marks_of(noticed),
            "reward_tag": series.reward_tag_of(session),
        },
        log_text=log.text,
        log_offset=log.offset,
        log_next=log.next_offset,
        events=[_event(event) for event in SessionEvent.objects.filter(session=session)],
        checkpoints=checkpoints_of(session),
        evaluations=evaluations_of(session),
        environments=machine.environment_shapes(),
        models=_models(session),
        other_files=other_files(session),
        keeping=keeping_in_words(session),
        config_used=used.decode("utf-8", "replace"),
        config_given=given.decode("utf-8", "replace") if given != used else None,
        command_shell=as_shell(detail.command),
        awaitable=sessions.run_ids_to_wait_for(session, request.user) if "resume" in detail.actions else [],
        rules_form=rules_form,
        troubles=findings_of(session),
        noticed=noticed,
        advice=advice_of(session),
        trials=trials_of(session, request.user),
        diagnosis=diagnosis_of(session),
        source=source_of(session),
        system=machine.system_shape(),
    )
    return show(request, page, status=422 if rules_form.errors else 200)


def _models(session: TrainingSession) -> list[ModelShape]:
    """The models as far as a worker has looked; it is told to look into the others."""
    shapes = models_of(session)
    inspections.ask_for(session, shapes)
    return shapes


def _console_tail(session: TrainingSession) -> console.ConsolePart:
    attempt = console.attempt_of(session)
    start = console.tail_offset(console.console_path(session, attempt), TAIL_BYTES) if attempt else 0
    return console.console_part(session, after=start, limit=TAIL_BYTES + 1024)


def _event(event: SessionEvent) -> contexts.EventRow:
    return contexts.EventRow(event.at, event.from_state, event.to_state, event.who, event.why)


@require_GET
def console_download(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """The whole console of an attempt, byte for byte."""
    session = sessions.session_named(run_id, request.user)
    attempt = console.attempt_of(session, natural(request.GET.get("attempt", ""), most_digits=9))
    path = console.console_path(session, attempt) if attempt else None
    if attempt is None or path is None:
        return HttpResponse("", content_type=TEXT)
    name = f"{session.run_id}-{attempt.number}-console.log"
    return whole_file(request, path, name=name, content_type=TEXT)


@require_POST
def act(request: HttpRequest, run_id: str, action: str) -> HttpResponse:
    """A button of a session: asks for it and says what follows."""
    session = sessions.session_named(run_id, request.user)
    details = {"after": request.POST["after"]} if action == "resume" and request.POST.get("after") else {}
    actions.ask(session, action, by=request.user, **details)
    level = messages.WARNING if action == "kill" else messages.SUCCESS
    opposite = bulk.OPPOSITES.get(action)
    undo = f"undo {opposite} {session.run_id}" if opposite else ""
    messages.add_message(request, level, SAID[action].format(session.run_id), extra_tags=undo)
    if request.POST.get("next") == "queue":
        return redirect("sessions:queue")
    return redirect("sessions:list") if action in ("trash", "archive") else redirect(session)
