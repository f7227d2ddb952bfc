"""What the API takes and gives. The answers are the shapes of `sessions.selectors`; these describe them to OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from sessions.api.rules import RulesField
from sessions.domain.disk import Room
from sessions.domain.labels import LONGEST_PROJECT
from sessions.domain.preflight.checks import Level
from sessions.domain.states import State
from sessions.models.session import ORIGINS, REASONS
from sessions.selectors.preflight import STATES
from sessions.services.batches import MOST_IN_A_BATCH
from sessions.services.planning import StartRequest

MAX_TEXT = 256 * 1024


@cache
def results_of(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Describe an answer that lists: {"results": [...]}."""
    name = serializer.__name__.removesuffix("Serializer")
    return inline_serializer(f"{name}List", {"results": serializer(many=True)})


class StartSerializer(serializers.Serializer[Any]):
    """A request to start a session; only run_id and a configuration are required."""

    run_id = serializers.CharField(max_length=64)
    config = serializers.CharField(required=False, allow_null=True, max_length=MAX_TEXT, trim_whitespace=False)
    config_path = serializers.CharField(required=False, allow_null=True, max_length=1024)
    config_name = serializers.CharField(required=False, allow_blank=True, max_length=255)
    env_path = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=1024,
        help_text="Null is Editor mode, whatever the configuration says.",
    )
    trainer = serializers.CharField(required=False, allow_null=True, max_length=100, help_text="Name or id.")
    overrides = serializers.DictField(
        required=False, allow_null=True, help_text='Such as {"behaviors.Ball.max_steps": 40000}.'
    )
    seed = serializers.IntegerField(required=False, allow_null=True)
    num_envs = serializers.IntegerField(required=False, allow_null=True)
    no_graphics = serializers.BooleanField(required=False, allow_null=True)
    width = serializers.IntegerField(required=False, allow_null=True)
    height = serializers.IntegerField(required=False, allow_null=True)
    time_scale = serializers.FloatField(required=False, allow_null=True)
    timeout_wait = serializers.IntegerField(required=False, allow_null=True)
    env_args = serializers.ListField(
        child=serializers.CharField(max_length=1024), required=False, allow_null=True, max_length=100
    )
    device = serializers.CharField(required=False, allow_null=True, max_length=20)
    resume = serializers.BooleanField(required=False, default=False)
    force = serializers.BooleanField(required=False, default=False)
    initialize_from = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=120,
        help_text="A run id, the id of a checkpoint, or outside: and the name of one from outside.",
    )
    priority = serializers.IntegerField(required=False, default=0, min_value=-1000, max_value=1000)
    held = serializers.BooleanField(required=False, default=False, help_text="Queue it, but do not start it yet.")
    start_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Not before this moment.")
    start_after = serializers.CharField(
        required=False, allow_null=True, max_length=64, help_text="Not before the session with this run id has ended."
    )
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=50)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    rules = RulesField(required=False, allow_null=True, help_text="Those of MENTOR_RULES when left out.")

    def request(self) -> StartRequest:
        """Return the checked request."""
        return request_of(self.validated_data)


def request_of(validated: Mapping[str, Any]) -> StartRequest:
    """Return the request that a StartSerializer has checked."""
    return StartRequest(**request_fields(validated))


def request_fields(validated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a StartRequest that were given."""
    data = {name: value for name, value in validated.items() if value is not None}
    for name in ("env_args", "tags"):
        if name in data:
            data[name] = tuple(data[name])
    if "config" in data:
        data["config"] = data["config"].encode()
    is_editor = "env_path" in validated and validated["env_path"] is None
    return {**data, "editor": is_editor}


class BehaviorSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    step = serializers.IntegerField()
    max_steps = serializers.IntegerField(allow_null=True)
    mean_reward = serializers.FloatField(allow_null=True)
    std_reward = serializers.FloatField(allow_null=True)
    progress = serializers.FloatField(allow_null=True)


class SavedSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    behavior = serializers.CharField()
    kind = serializers.CharField()
    step = serializers.IntegerField(allow_null=True)
    reward = serializers.FloatField(allow_null=True)
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    final = serializers.BooleanField()
    newest = serializers.BooleanField(help_text="Its behavior saved nothing later.")
    condition = serializers.CharField(help_text="whole, broken, blank or missing, told from its bytes.")
    url = serializers.CharField()


class ReceiptSerializer(serializers.Serializer[Any]):
    """What an attempt left behind, and how long its end took."""

    attempt = serializers.IntegerField()
    step = serializers.IntegerField(allow_null=True)
    reward = serializers.FloatField(allow_null=True)
    whole = serializers.BooleanField(allow_null=True, help_text="Null when nothing was saved.")
    asked_at = serializers.DateTimeField(allow_null=True)
    asked_by = serializers.CharField()
    seconds = serializers.FloatField(allow_null=True, help_text="From the request to the end.")
    files = SavedSerializer(many=True)


class StoppingSerializer(serializers.Serializer[Any]):
    """A stop that is under way."""

    asked_at = serializers.DateTimeField(allow_null=True)
    asked_by = serializers.CharField()
    stage = serializers.ChoiceField(choices=["asked", "loading", "saving", "ending", "unanswered"])
    grace_seconds = serializers.FloatField()
    seconds_left = serializers.FloatField(allow_null=True, help_text="Until it is ended by force.")
    words = serializers.CharField()


class AttemptSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    exit_code = serializers.IntegerField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    supervised = serializers.BooleanField()
    resume = serializers.BooleanField()
    receipt = ReceiptSerializer(allow_null=True)
    alarm = serializers.CharField(allow_blank=True, help_text="What a person should look at.")


class ResourcesSerializer(serializers.Serializer[Any]):
    """What a running session takes now; its course is in the metrics of behavior ""."""

    cpu_percent = serializers.FloatField(allow_null=True, help_text="Of one core.")
    memory_bytes = serializers.FloatField(allow_null=True, help_text="Resident memory (RSS) of all its processes.")
    gpu_percent = serializers.FloatField(allow_null=True, help_text="Of one GPU.")
    gpu_memory_bytes = serializers.FloatField(allow_null=True)
    disk_bytes = serializers.FloatField(allow_null=True, help_text="Its results and its console.")
    processes = serializers.FloatField(allow_null=True, help_text="The trainer and all below it.")


class SessionSerializer(serializers.Serializer[Any]):
    run_id = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in State])
    explanation = serializers.CharField()
    waits_for = serializers.ChoiceField(choices=[reason for reason, _ in REASONS], allow_blank=True)
    held = serializers.BooleanField()
    start_at = serializers.DateTimeField(allow_null=True)
    start_after = serializers.CharField(allow_null=True, help_text="The run id of the session it waits for.")
    mode = serializers.ChoiceField(choices=["editor", "executable"])
    origin = serializers.ChoiceField(choices=[origin for origin, _ in ORIGINS], help_text="imported: only watched.")
    trainer = serializers.CharField()
    environment = serializers.CharField(allow_null=True)
    owner = serializers.CharField(allow_null=True)
    progress = serializers.FloatField(allow_null=True)
    step = serializers.IntegerField()
    max_steps = serializers.IntegerField(allow_null=True)
    elapsed_seconds = serializers.FloatField(allow_null=True)
    eta_seconds = serializers.FloatField(allow_null=True)
    steps_per_second = serializers.FloatField(allow_null=True)
    behaviors = BehaviorSerializer(many=True)
    tags = serializers.ListField(child=serializers.CharField())
    project = serializers.CharField(allow_blank=True)
    priority = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    archived_at = serializers.DateTimeField(allow_null=True)
    trashed_at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField()
    resources = ResourcesSerializer()
    actions = serializers.ListField(child=serializers.CharField())
    alarm = serializers.CharField(allow_blank=True)


class SessionDetailSerializer(SessionSerializer):
    notes = serializers.CharField(allow_blank=True)
    disk_bytes = serializers.IntegerField(allow_null=True, help_text="Of MENTOR's own files; null until measured.")
    packed_bytes = serializers.IntegerField(help_text="How much smaller these are for being compressed.")
    command = serializers.ListField(child=serializers.CharField())
    options = serializers.DictField()
    config_name = serializers.CharField()
    attempts = AttemptSerializer(many=True)
    saved = serializers.ListField(child=serializers.DictField())
    receipt = ReceiptSerializer(allow_null=True)
    stopping = StoppingSerializer(allow_null=True)
    rules = RulesField()
    unattended = serializers.ListField(child=serializers.CharField(), help_text="The rules that are on, in words.")


class CheckSerializer(serializers.Serializer[Any]):
    """One thing that was looked at before a start."""

    id = serializers.CharField()
    title = serializers.CharField()
    level = serializers.ChoiceField(choices=[level.value for level in Level], help_text="An error refuses the start.")
    finding = serializers.CharField(allow_blank=True)
    fix = serializers.CharField(allow_blank=True)
    field = serializers.CharField(allow_blank=True, help_text="The field of the start it belongs to.")


class PreflightSerializer(serializers.Serializer[Any]):
    """What the checks say, and how it stands with the trainer's own parser and the environment."""

    checks = CheckSerializer(many=True)
    parser = serializers.ChoiceField(
        choices=STATES, help_text="none: the trainer has no other; unasked: POST /api/preflight/ asks it."
    )
    connection = serializers.ChoiceField(
        choices=STATES,
        help_text="The same of the environment's behaviors; none: no build that is registered, or no ML-Agents.",
    )


class PreviewSerializer(PreflightSerializer):
    command = serializers.ListField(child=serializers.CharField())
    shell = serializers.CharField()
    notices = serializers.ListField(child=serializers.CharField())


class SessionPageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = SessionSerializer(many=True)


class EditSerializer(serializers.Serializer[Any]):
    """What may be changed of a session at any time."""

    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=50)
    project = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_PROJECT)
    priority = serializers.IntegerField(required=False, min_value=-1000, max_value=1000)
    rules = RulesField(required=False, help_text="Replaces all rules; those that are left out are off.")


class ResumeSerializer(serializers.Serializer[Any]):
    """How a session goes on."""

    after = serializers.CharField(
        required=False, allow_null=True, max_length=64, help_text="Not before the session with this run id has ended."
    )


class MoveSerializer(serializers.Serializer[Any]):
    """Where in the queue: 0 is next."""

    index = serializers.IntegerField(min_value=0, max_value=1_000_000)


class ScheduleSerializer(serializers.Serializer[Any]):
    """What a waiting session waits for; null is nothing."""

    start_at = serializers.DateTimeField(allow_null=True, default=None)
    start_after = serializers.CharField(allow_null=True, default=None, max_length=64)


class BatchSerializer(serializers.Serializer[Any]):
    """Several starts at once: all of them, or none."""

    sessions = StartSerializer(many=True, allow_empty=False, max_length=MOST_IN_A_BATCH)  # type: ignore[call-arg]  # of the list
    sequential = serializers.BooleanField(default=False, help_text="Each waits for the end of the one before.")

    def requests(self) -> list[StartRequest]:
        """Return the checked requests."""
        return [request_of(data) for data in self.validated_data["sessions"]]


class ConsoleQuerySerializer(serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, default=0, min_value=0)
    limit = serializers.IntegerField(required=False, default=65536, min_value=1, max_value=1024 * 1024)
    attempt = serializers.IntegerField(required=False, min_value=1, allow_null=True, default=None)


class ConsoleSerializer(serializers.Serializer[Any]):
    attempt = serializers.IntegerField()
    offset = serializers.IntegerField()
    next_offset = serializers.IntegerField()
    text = serializers.CharField()
    ended = serializers.BooleanField()


class EventSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    attempt = serializers.IntegerField(allow_null=True)
    from_state = serializers.CharField()
    to_state = serializers.CharField()
    who = serializers.CharField()
    why = serializers.CharField()


class ArtifactSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    behavior = serializers.CharField()
    kind = serializers.CharField()
    step = serializers.IntegerField(allow_null=True)
    reward = serializers.FloatField(allow_null=True)
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    final = serializers.BooleanField()
    kept = serializers.BooleanField(help_text="Whether MENTOR keeps it, so that ML-Agents cannot remove it.")
    url = serializers.CharField()


class ConfigSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    given = serializers.CharField()
    used = serializers.CharField()
    changed = serializers.BooleanField()


class TrainerSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    kind = serializers.CharField(read_only=True)
    name = serializers.CharField(max_length=100)
    version = serializers.CharField(read_only=True)
    python_version = serializers.CharField(read_only=True)
    interpreter = serializers.CharField(max_length=1024)
    ok = serializers.BooleanField(read_only=True)
    problem = serializers.CharField(read_only=True)


class EnvironmentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    path = serializers.CharField(max_length=1024)
    ok = serializers.BooleanField(read_only=True)
    problem = serializers.CharField(read_only=True)
    behaviors = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="As it named them when it was last connected."
    )


class SystemSerializer(serializers.Serializer[Any]):
    supervisor_online = serializers.BooleanField()
    supervisor_seen_seconds = serializers.FloatField(allow_null=True)
    busy_slots = serializers.IntegerField()
    slots = serializers.IntegerField()
    gpus = serializers.ListField(child=serializers.CharField(), help_text="Names, in the order of their numbers.")
    disk_free = serializers.IntegerField(
        allow_null=True, help_text="Bytes, on the fullest disk that runs are written to."
    )
    disk_reserve = serializers.IntegerField(help_text="Bytes; below it nothing starts and what trains is stopped.")
    disk = serializers.ChoiceField(choices=[room.value for room in Room], help_text="low is below twice the reserve.")


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    hint = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField())
    )
