"""The start form."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from sessions.domain.command import as_shell, suggest_run_id
from sessions.domain.config import MAX_BYTES, Config, ConfigError, read_config
from sessions.domain.configuration.presets import PRESETS
from sessions.domain.numbers import natural
from sessions.errors import MentorError
from sessions.models import Environment, TrainingSession
from sessions.pages import contexts
from sessions.pages import preflight as checking
from sessions.pages.browsing import listing
from sessions.pages.forms import (
    EDITOR,
    StartForm,
    fields_of,
    initial_changes,
    initial_from,
    initial_like,
    typed_overrides,
)
from sessions.pages.rules_form import initial_rules
from sessions.pages.showing import show
from sessions.selectors import library, machine, sessions
from sessions.selectors.configs import earlier_run_ids
from sessions.selectors.preflight import known_behaviors
from sessions.selectors.trials import trial_with
from sessions.services import (
    accounts,
    batches,
    editing,
    planning,
    preflight,
    repeating,
    starting,
    trainers,
    trials,
)
from sessions.services.config_files import read_config_file

NAMES_SHOWN = 6


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
                preflight.ask(plan)
            if request.POST.get("action") == "trial":
                return redirect("sessions:trial", trials.begin(asked[0], by=accounts.signed_in(request.user)).pk)
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
        changed = initial_changes(request.GET)
        return {"run_id": repeating.free_run_id(like), **initial_rules(session.rules), **asked, **changed}
    if (key := natural(request.GET.get("trial", ""), most_digits=9)) is not None:
        return _initial_of_trial(key, request)
    taken = set(TrainingSession.objects.values_list("run_id", flat=True))
    rules_given = initial_rules(planning.default_rules())
    begun = {"run_id": suggest_run_id(["session"], taken), **rules_given, **initial_from(request.GET)}
    key = natural(request.GET.get("kept", ""), most_digits=9)
    return begun if key is None else {**begun, "config_text": library.kept(key).text}


def _initial_of_trial(key: int, request: HttpRequest) -> dict[str, Any]:
    """What a trial was asked for, with what it proposes."""
    asked = trials.request_of(trial_with(key, request.user))
    return {"run_id": repeating.free_run_id(asked.run_id), **initial_rules(asked.rules or {}), **initial_like(asked)}


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
        all_kept=library.all_kept(),
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
        "to_mend": "",
        "known_behaviors": _known_behaviors(request),
        "trainer_version": _trainer_version(request),
    }
    data = _given(request, form)
    config = _config_alone(data)
    if config is None:
        answer["to_mend"] = _to_mend(data, form)
    else:
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


def _known_behaviors(request: HttpRequest) -> list[str]:
    """Names that the editor offers: those that were last seen in the environment that is chosen."""
    user = accounts.signed_in(request.user)
    if request.POST.get("mode") == EDITOR:
        return sorted(known_behaviors(None, user=user))
    environment = Environment.objects.filter(path=request.POST.get("env_path", "").strip()).first()
    if environment is None:
        return []
    return sorted({*known_behaviors(environment, user=user), *machine.behaviors_of(environment)})


def _trainer_version(request: HttpRequest) -> str:
    """The version of ML-Agents that the configuration is for."""
    trainer = trainers.choose(request.POST.get("trainer") or None)
    return trainer.version if trainer is not None and trainer.kind == "mlagents" else ""


def _many(asked: list[planning.StartRequest]) -> list[str]:
    if len(asked) == 1:
        return []
    names = ", ".join(one.run_id for one in asked[:NAMES_SHOWN]) + (" …" if len(asked) > NAMES_SHOWN else "")
    return [f"Starts {len(asked)} sessions: {names}. The command is that of the first."]


def _config_alone(data: bytes) -> Config | None:
    """The configuration as it is given, whatever else is wrong with the form."""
    try:
        return read_config(data)
    except ConfigError:
        return None


def _given(request: HttpRequest, form: StartForm) -> bytes:
    """The bytes of the configuration that is chosen; none when there are none to be had."""
    form.is_valid()
    upload = request.FILES.get("config_file")
    if upload is not None:
        data: bytes = upload.read(MAX_BYTES + 1)
        upload.seek(0)
        return data
    if form.cleaned_data.get("config_text", "").strip():
        return str(form.cleaned_data["config_text"]).encode()
    try:
        path = form.cleaned_data.get("config_path")
        return read_config_file(path, by=accounts.signed_in(request.user)) if path else b""
    except MentorError:
        return b""


def _to_mend(data: bytes, form: StartForm) -> str:
    """The text of a file that is refused, for the editor on the page; empty for what is there already."""
    try:
        return "" if form.cleaned_data.get("config_text") or len(data) > MAX_BYTES else data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""


@require_GET
def browse(request: HttpRequest) -> JsonResponse:
    """Folders and configurations of this machine, for the file picker."""
    editing.require_permission(request.user, "training.start_session")
    return JsonResponse(listing(request.GET.get("folder", "")))
