"""The pages of sessions: thin edges over services and selectors."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST, require_safe

from sessions.domain.command import as_shell, suggest_run_id
from sessions.domain.config import MAX_BYTES, Config, ConfigError, read_config
from sessions.domain.configuration.presets import PRESETS
from sessions.domain.numbers import natural
from sessions.domain.states import ACTIVE, ENDED, WAITING, State, values
from sessions.downloads import TEXT, whole_file
from sessions.errors import InvalidInput, MentorError
from sessions.models import Environment, SessionEvent, TrainingSession
from sessions.pages import contexts
from sessions.pages import preflight as checking
from sessions.pages.browsing import listing
from sessions.pages.forms import ScheduleForm, StartForm, fields_of, initial_from, initial_like, typed_overrides
from sessions.pages.rules_form import RulesForm, initial_rules
from sessions.selectors import console, history, library, machine, series, sessions
from sessions.selectors.checkpoints import checkpoints_of, other_files
from sessions.selectors.configs import earlier_run_ids
from sessions.selectors.diagnosis import diagnosis_of
from sessions.selectors.evaluations import evaluations_of
from sessions.selectors.health import findings_of
from sessions.selectors.imports import source_of
from sessions.selectors.inspections import ModelShape, models_of
from sessions.selectors.listing import Chosen
from sessions.selectors.scores import keeping_in_words
from sessions.services import (
    accounts,
    actions,
    batches,
    bulk,
    editing,
    environments,
    inspections,
    planning,
    preflight,
    repeating,
    rules,
    starting,
    trainers,
)
from sessions.services.config_files import read_config_file

TAIL_BYTES = 64 * 1024
ENDED_SHOWN = 8
PAGE_SIZE = 25
CURVE_POINTS = 1000
NAMES_SHOWN = 6
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


def show(request: HttpRequest, page: Any, *, template: str | None = None, status: int = 200) -> HttpResponse:
    """Render a page's dataclass with its own template."""
    context = {one.name: getattr(page, one.name) for one in fields(page)}
    return render(request, template or page.template, context, status=status)


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """What trains, what waits, what is paused, what ended last."""
    found = sessions.sessions_with_parts(request.user).filter(trashed_at__isnull=True)
    running = found.filter(state__in=values(ACTIVE)).order_by("-created_at")
    waiting = found.filter(state__in=values(WAITING)).order_by("-priority", "created_at")
    paused = found.filter(state=State.PAUSED.value).order_by("-ended_at")
    ended = Chosen(found.filter(state__in=values(ENDED - {State.PAUSED})).order_by("-ended_at"), found)[:ENDED_SHOWN]
    page = contexts.DashboardPage(
        running=[sessions.session_shape(session) for session in running],
        waiting=[sessions.session_shape(session) for session in waiting],
        paused=[sessions.session_shape(session) for session in paused],
        ended=[sessions.session_shape(session) for session in ended],
        system=machine.system_shape(),
    )
    return show(request, page, template="sessions/_dashboard.html" if "partial" in request.GET else None)


@require_safe
def queue_page(request: HttpRequest) -> HttpResponse:
    """What waits, in its order."""
    active = sessions.sessions_with_parts(request.user).filter(state__in=values(ACTIVE), trashed_at__isnull=True)
    page = contexts.QueuePage(
        waiting=sessions.queued_sessions(request.user),
        running=[sessions.session_shape(session) for session in active.order_by("started_at")],
        system=machine.system_shape(),
    )
    return show(request, page, template="sessions/_queue.html" if "partial" in request.GET else None)


@require_POST
def move(request: HttpRequest, run_id: str) -> HttpResponse:
    """Put a waiting session elsewhere in the queue."""
    index = natural(request.POST.get("index", ""), most_digits=6)
    if index is None:
        raise InvalidInput("The place in the queue must be a number.")
    actions.move(sessions.session_named(run_id, request.user), index, by=request.user)
    return redirect("sessions:queue")


@require_POST
def set_schedule(request: HttpRequest, run_id: str) -> HttpResponse:
    """Say when a waiting session may start."""
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        sentences = {name: [str(one) for one in told] for name, told in form.errors.items()}
        raise InvalidInput("The moment to start could not be read.", errors=sentences)
    session = sessions.session_named(run_id, request.user)
    actions.set_schedule(
        session, at=form.cleaned_data["start_at"], after=form.cleaned_data["start_after"] or None, by=request.user
    )
    return redirect("sessions:queue")


@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    """The history."""
    rows = sessions.sessions_with_parts(request.user)
    found = history.filtered(rows, _without_blanks(request))
    chosen = found.qs if found.is_valid() else TrainingSession.objects.none()
    page = Paginator(Chosen(chosen, rows), PAGE_SIZE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    visible = sessions.visible_sessions(request.user)
    context = contexts.SessionListPage(
        sessions=[sessions.session_shape(session) for session in page.object_list],
        page=page,
        filters={name: request.GET.get(name, "") for name in contexts.LIST_FILTERS},
        states=[state for state, _ in history.STATE_CHOICES],
        behaviors=history.behavior_names(request.user),
        projects=history.projects(visible),
        trainers=history.trainer_names(),
        environments=history.environment_names(),
        orders=list(history.ORDERS.items()),
        query=query.urlencode(),
        system=machine.system_shape(),
    )
    return show(request, context)


def _without_blanks(request: HttpRequest) -> Any:
    query = request.GET.copy()
    for name in [name for name in query if not str(query[name]).strip()]:
        del query[name]
    return query


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
    given, used = bytes(session.config_given), bytes(session.config_used)
    page = contexts.SessionPage(
        session=detail,
        live={
            "socket": f"/ws/sessions/{session.run_id}/",
            "session": asdict(detail),
            "log": {"attempt": log.attempt, "offset": log.offset, "next": log.next_offset},
            "points": {"cursor": cursor, "series": series.as_json(points)},
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


def new(request: HttpRequest) -> HttpResponse:
    """The start form; `action=review` shows the command, `action=start` starts."""
    if request.method != "POST":
        return _start_page(request, StartForm(initial=_initial(request)))
    form = StartForm(request.POST, request.FILES)
    plan = None
    if form.is_valid():
        try:
            asked = form.requests()
            if request.POST.get("action") == "start":
                return _start(request, asked, sequential=form.cleaned_data["sequential"])
            plan = planning.plan_start(asked[0], by=accounts.signed_in(request.user))
            if request.POST.get("action") == "check":
                preflight.ask_parser(plan)
        except MentorError as error:
            form.take_errors(error.errors or {"": [error.detail]})
    return _start_page(request, form, plan=plan)


def _start(request: HttpRequest, asked: list[planning.StartRequest], *, sequential: bool) -> HttpResponse:
    user = accounts.signed_in(request.user)
    if len(asked) == 1:
        return redirect(starting.start_session(asked[0], by=user))
    started = batches.start_many(asked, by=user, sequential=sequential)
    messages.success(request, f"{len(started)} sessions are in the queue.")
    return redirect("sessions:queue")


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What the form begins with: nothing, or what a session was started with (`like` in the address)."""
    if like := request.GET.get("like"):
        session = sessions.session_named(like, request.user)
        asked = initial_like(repeating.request_like(session))
        return {"run_id": repeating.free_run_id(like), **initial_rules(session.rules), **asked}
    taken = set(TrainingSession.objects.values_list("run_id", flat=True))
    rules_given = initial_rules(planning.default_rules())
    begun = {"run_id": suggest_run_id(["session"], taken), **rules_given, **initial_from(request.GET)}
    key = natural(request.GET.get("kept", ""), most_digits=9)
    return begun if key is None else {**begun, "config_text": library.kept(key).text}


def _start_page(request: HttpRequest, form: StartForm, *, plan: planning.StartPlan | None = None) -> HttpResponse:
    checks = preflight.preflight(plan, by=accounts.signed_in(request.user)) if plan else checking.NOTHING
    form.take_errors(checks.errors)
    page = contexts.StartPage(
        form=form,
        command_shell=as_shell(plan.command) if plan else None,
        notices=plan.notices if plan else [],
        checks=checks,
        behaviors=_behavior_fields(plan.config, form) if plan else [],
        rules_open=form.has_rules(),
        presets=PRESETS,
        earlier=earlier_run_ids(request.user),
        kept=library.newest_kept(),
        trainers=machine.trainer_shapes(),
        environments=machine.environment_shapes(),
        system=machine.system_shape(),
    )
    return show(request, page, status=422 if form.errors else 200)


def _behavior_fields(config: Config, form: StartForm | None = None) -> list[dict[str, Any]]:
    typed = typed_overrides(form.data) if form is not None else {}
    return [
        {
            "name": plan.name,
            "trainer_type": plan.trainer_type,
            "max_steps": plan.max_steps,
            "learning_rate": plan.learning_rate,
            "typed_max_steps": typed.get(f"behaviors.{plan.name}.max_steps", ""),
            "typed_learning_rate": typed.get(f"behaviors.{plan.name}.learning_rate", ""),
        }
        for plan in config.behaviors.values()
    ]


@require_POST
def preview(request: HttpRequest) -> JsonResponse:
    """What the form would start, for the page's module: command, sentences per field, behaviors, a run id."""
    form = StartForm(request.POST, request.FILES)
    answer: dict[str, Any] = {
        "command": None,
        "errors": {},
        "notices": [],
        **checking.as_json(checking.NOTHING),
        "behaviors": [],
        "suggested_run_id": "",
        "fields": {},
    }
    config = _config_alone(request, form)
    if config is not None:
        taken = set(TrainingSession.objects.values_list("run_id", flat=True))
        answer["behaviors"] = _behavior_fields(config)
        answer["suggested_run_id"] = suggest_run_id(list(config.behaviors), taken)
        answer["fields"] = fields_of(config)
    if form.is_valid():
        try:
            asked = form.requests()
            by = accounts.signed_in(request.user)
            plan = planning.plan_start(asked[0], by=by)
            found = preflight.preflight(plan, by=by)
            form.take_errors(found.errors)
            answer |= checking.as_json(found)
            answer |= {"command": as_shell(plan.command), "notices": [*_many(asked), *plan.notices]}
        except MentorError as error:
            form.take_errors(error.errors or {"": [error.detail]})
    answer["errors"] = {name: list(sentences) for name, sentences in form.errors.items()}
    return JsonResponse(answer)


def _many(asked: list[planning.StartRequest]) -> list[str]:
    if len(asked) == 1:
        return []
    names = ", ".join(one.run_id for one in asked[:NAMES_SHOWN]) + (" …" if len(asked) > NAMES_SHOWN else "")
    return [f"Starts {len(asked)} sessions: {names}. The command is that of the first."]


def _config_alone(request: HttpRequest, form: StartForm) -> Config | None:
    """The configuration as it is given, whatever else is wrong with the form."""
    form.is_valid()
    upload = request.FILES.get("config_file")
    try:
        if upload is not None:
            data = upload.read(MAX_BYTES + 1)
            upload.seek(0)
        elif form.cleaned_data.get("config_text", "").strip():
            data = form.cleaned_data["config_text"].encode()
        elif form.cleaned_data.get("config_path"):
            data = read_config_file(form.cleaned_data["config_path"], by=accounts.signed_in(request.user))
        else:
            return None
        return read_config(data)
    except (ConfigError, MentorError):
        return None


@require_GET
def browse(request: HttpRequest) -> JsonResponse:
    """Folders and configurations of this machine, for the file picker."""
    editing.require_permission(request.user, "training.start_session")
    return JsonResponse(listing(request.GET.get("folder", "")))


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


def trainers_page(request: HttpRequest) -> HttpResponse:
    """Installations that can train; a form registers another."""
    errors: dict[str, list[str]] = {}
    values_typed = {name: request.POST.get(name, "") for name in ("name", "interpreter")}
    if request.method == "POST":
        try:
            trainer = trainers.register(
                values_typed["interpreter"],
                name=values_typed["name"],
                by=accounts.signed_in(request.user),
            )
            messages.success(request, f"{trainer} is ready to train.")
            return redirect("sessions:trainers")
        except MentorError as error:
            errors = error.errors or {"all": [error.detail]}
    page = contexts.TrainersPage(machine.trainer_shapes(), errors, values_typed, machine.system_shape())
    return show(request, page, status=422 if errors else 200)


def environments_page(request: HttpRequest) -> HttpResponse:
    """Builds that may be started; a form registers another, or one that was built anew."""
    errors: dict[str, list[str]] = {}
    values_typed = {name: request.POST.get(name, "") for name in ("name", "path")}
    if request.method == "POST":
        try:
            path = environments.resolve(values_typed["path"])
            environment: Environment = environments.register(
                path,
                by=accounts.signed_in(request.user),
                name=values_typed["name"].strip(),
            )
            messages.success(request, f"{environment.name} may be trained in.")
            return redirect("sessions:environments")
        except MentorError as error:
            errors = error.errors or {"path": [error.detail]}
    page = contexts.EnvironmentsPage(machine.environment_shapes(), errors, values_typed, machine.system_shape())
    return show(request, page, status=422 if errors else 200)
