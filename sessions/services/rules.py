"""What MENTOR does with a session unattended: its rules are judged, and each action is an event with its reason.

Nothing is remembered here. A stop is asked for by compare-and-swap, a warning stands in the attempt's alarm, and a
restart is queued in the transaction that ends the attempt before: doing anything of it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from sessions.domain import verdicts
from sessions.domain.health import Finding
from sessions.domain.rules import Rules, as_json, in_words, read_rules
from sessions.domain.states import SPEAKING, State
from sessions.domain.verdicts import End, NoRestart, Restart, Verdict, after_end
from sessions.errors import Conflict, InvalidInput, NoPlace
from sessions.models import Attempt, TrainingSession
from sessions.selectors import unattended
from sessions.selectors.disk import folder_bytes
from sessions.selectors.files import kept_bytes, saved_something
from sessions.selectors.sessions import mode
from sessions.services import health, stopping
from sessions.services.keeping import KEEP_TASK
from sessions.services.staging import Chosen
from sessions.services.starting import new_attempt
from sessions.services.transitions import record

# What an alarm of the rules begins with, so that nobody else's is taken back.
WATCHDOG = "Watchdog: "
# Who asks when the curves told of trouble.
UNWELL = "rule: health"
# A summary without a number is passed over, so a few more are read than a goal asks for.
SPARE_POINTS = 250


def change(session: TrainingSession, given: Mapping[str, Any] | None, *, by: str) -> TrainingSession:
    """Replace the session's rules, also while it trains; none or an empty mapping switches all off.

    Raises InvalidRules with sentences by rule.
    """
    rules = read_rules(given or {})
    with transaction.atomic():
        rows = TrainingSession.objects.filter(pk=session.pk).exclude(rules=as_json(rules))
        if rows.update(rules=as_json(rules), version=F("version") + 1):
            state = State(session.state)
            why = f"Rules: {' '.join(in_words(rules)) or 'none.'}"
            record(session.pk, None, state, state, who=by, why=why)
            async_task(KEEP_TASK, session.pk)
    session.refresh_from_db()
    return session


def judge(
    attempt: Attempt,
    *,
    troubles: Sequence[Finding] = (),
    counts_from: datetime | None = None,
    thorough: bool = True,
) -> list[Verdict]:
    """Return what the rules ask for of an attempt that trains; `troubles` is what its curves tell of.

    A stall counts from `counts_from` at the earliest. All points of a series and all files are looked at only in a
    thorough look.
    """
    now = timezone.now()
    rules = unattended.rules_of(attempt.session)
    weighed = _results_bytes(attempt) if thorough and rules.budget_disk_mb is not None else 0
    found = (
        _budget(attempt.session_id, rules, now, weighed),
        _goal(attempt, rules),
        _plateau(attempt, rules) if thorough else None,
        _stall(attempt, rules, now, counts_from),
        _memory(attempt, rules, now),
        _health(rules, troubles),
    )
    return [verdict for verdict in found if verdict is not None]


def _budget(session_id: int, rules: Rules, now: datetime, weighed: int = 0) -> Verdict | None:
    trained = unattended.trained_seconds(session_id, now) if rules.budget_minutes is not None else 0.0
    return verdicts.budget(rules, trained_seconds=trained, now=now, results_bytes=weighed)


def _goal(attempt: Attempt, rules: Rules) -> Verdict | None:
    """By the points since somebody last started the session: what came before was known to them."""
    if rules.goal_value is None:
        return None
    attempts = unattended.unattended_attempts(attempt.session_id)
    last = rules.goal_summaries + SPARE_POINTS
    return verdicts.goal(rules, unattended.points_of(attempts, rules.goal_tag, last=last))


def _plateau(attempt: Attempt, rules: Rules) -> Verdict | None:
    if rules.plateau_steps is None:
        return None
    attempts = unattended.unattended_attempts(attempt.session_id)
    return verdicts.plateau(rules, unattended.points_of(attempts, rules.plateau_tag))


def _results_bytes(attempt: Attempt) -> int:
    return folder_bytes(attempt.results) + kept_bytes(attempt.session)


def _stall(attempt: Attempt, rules: Rules, now: datetime, counts_from: datetime | None) -> Verdict | None:
    if rules.stall_minutes is None or attempt.state == State.WAITING_FOR_EDITOR.value:
        return None
    since = unattended.idle_since(attempt)
    if since is None:
        return None
    return verdicts.stall(rules, (now - max(since, counts_from or since)).total_seconds())


def _memory(attempt: Attempt, rules: Rules, now: datetime) -> Verdict | None:
    if rules.memory_mb is None and rules.memory_growth_percent is None:
        return None
    seconds = 2 * verdicts.MEMORY_SECONDS + rules.memory_window_minutes * 60
    samples = unattended.memory_of(attempt, since=now - timedelta(seconds=seconds), seconds=seconds)
    return verdicts.memory(rules, samples, warned="Memory" in attempt.alarm)


def _health(rules: Rules, troubles: Sequence[Finding]) -> Verdict | None:
    told = " ".join(f"{one.behavior}: {one.title}." for one in troubles)
    do = "restart" if rules.health_action == "go_back" else rules.health_action
    return Verdict("health", do, told) if told else None


def obey(attempt: Attempt, found: Sequence[Verdict]) -> None:
    """Do what the rules ask for: the first stop or restart of them, else their warnings."""
    firm = next((verdict for verdict in found if verdict.do != "warn"), None)
    if firm is None:
        _warn(attempt, found)
        return
    try:
        stopping.end_by_rule(attempt.session, firm.do, rule=firm.rule, why=firm.why)
    except Conflict:
        return  # it ended meanwhile


def _warn(attempt: Attempt, warnings: Sequence[Verdict]) -> None:
    """Make the alarm say what holds now; an event tells of each warning that is new."""
    before = attempt.alarm
    alarm = WATCHDOG + " ".join(verdict.why for verdict in warnings) if warnings else ""
    if before == alarm or (before and not before.startswith(WATCHDOG)):
        return
    with transaction.atomic():
        if not Attempt.objects.filter(pk=attempt.pk, alarm=before).update(alarm=alarm):
            return
        TrainingSession.objects.filter(pk=attempt.session_id).update(version=F("version") + 1)
        state = State(attempt.state)
        for verdict in warnings:
            if verdict.why not in before:
                record(attempt.session_id, attempt.pk, state, state, who=f"rule: {verdict.rule}", why=verdict.why)


def trains(attempt: Attempt) -> bool:
    """Tell whether rules apply to an attempt: it trains, and nobody has asked for anything."""
    return State(attempt.state) in SPEAKING and attempt.session.wanted == "run"


def follow_end(attempt: Attempt, *, refused: bool = False) -> bool:
    """Queue the restart that the rules ask for after an attempt's end, and return whether there is one.

    To be called in the transaction that ends the attempt, so that no crash loses or doubles it. `refused` says that
    MENTOR itself would not start it.
    """
    Attempt.objects.filter(pk=attempt.pk, alarm__startswith=WATCHDOG).update(alarm="")  # it warned of what is over
    session = TrainingSession.objects.select_related("trainer", "environment").get(pk=attempt.session_id)
    rules = unattended.rules_of(session)
    unwell = attempt.stop_asked_by == UNWELL
    end = End(
        state=session.state,
        wanted=session.wanted,
        code=attempt.exit_code,
        repeats=rules.restart_limit is not None and _repeats(session, attempt),
        refused=refused,
        editor=mode(session) == "editor",
        unwell=unwell,
    )
    decided = after_end(rules, end, unattended.past_of(session.pk))
    spent = _budget(session.pk, rules, timezone.now()) if isinstance(decided, Restart) else None
    if spent is not None:
        decided = NoRestart(f"Not restarted: {spent.why[0].lower()}{spent.why[1:]}")
    if isinstance(decided, Restart):
        try:
            with transaction.atomic():
                _queue(session, decided, health.to_go_back_to(attempt) if unwell else [])
        except (InvalidInput, NoPlace) as error:
            decided = NoRestart(f"Not restarted: {error.detail}")
    if isinstance(decided, NoRestart):
        _tell(session, attempt, decided.why)
    return isinstance(decided, Restart)


def _repeats(session: TrainingSession, attempt: Attempt) -> bool:
    """Whether the cause of a failure stays until somebody mends it."""
    from sessions.selectors.diagnosis import cause_of  # which a supervisor needs after a failure only

    found = cause_of(session, attempt, attempt.exit_code) if session.state == State.FAILED.value else None
    return found is not None and found[0].repeats


def _tell(session: TrainingSession, attempt: Attempt, why: str) -> None:
    state = State(session.state)
    told = f"{session.explanation} {why}"
    TrainingSession.objects.filter(pk=session.pk).update(explanation=told, version=F("version") + 1)
    record(session.pk, attempt.pk, state, state, who="rule: restart", why=why)


def _queue(session: TrainingSession, restart: Restart, chosen: Sequence[Chosen]) -> None:
    """Queue the restart: from these checkpoints, from the last, or anew where there is none (the old are set aside)."""
    at = timezone.now() + timedelta(seconds=restart.pause_seconds)
    resume = bool(chosen) or saved_something(session)
    number = f"{restart.number} of {restart.limit}"
    back = ", ".join(f"{one.behavior} at step {one.step:,}" for one in chosen)
    how = f"with {back} " if back else "" if resume else "from the beginning "
    why = f"Restarts {how}at {at:%H:%M:%S} UTC ({number}) after: {session.explanation}"
    new_attempt(
        session,
        by="rule: restart",
        resume=resume,
        force=not resume,
        why=why,
        not_before=at,
        automatic=True,
        chosen=chosen,
    )


def reason_of(attempt: Attempt) -> str:
    """Return the sentence with which a rule asked an attempt to end; empty when none did."""
    if not attempt.stop_asked_by.startswith("rule: "):
        return ""
    # The request itself, not the change of state that carried it out.
    asked = attempt.sessionevent_set.filter(who=attempt.stop_asked_by, from_state=F("to_state"))
    event = asked.order_by("pk").last()
    return event.why if event else ""
