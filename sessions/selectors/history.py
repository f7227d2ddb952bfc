"""Filtering and ordering the history: one set of rules for the list page and the API."""

from __future__ import annotations

from dataclasses import dataclass

import django_filters
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from sessions.domain.states import ACTIVE, ENDED, WAITING, State, values
from sessions.models import BehaviorProgress, Environment, Trainer, TrainingSession
from sessions.models.session import ORIGINS, THROWN_AWAY
from sessions.selectors.sessions import User, sees_all, visible_sessions

# Broad words a person may filter by, beside the exact states.
GROUPS = {
    "pending": WAITING,
    "active": ACTIVE,
    "ended": ENDED,
}
STATE_CHOICES = [
    *((state.value, state.value.replace("_", " ")) for state in State),
    *((name, name) for name in GROUPS),
]
# Whether the archive is looked through: not, alone, or together with the lists.
SHELVES = {"false": Q(archived_at__isnull=True), "true": Q(archived_at__isnull=False), "any": Q()}
ORDERS = {
    "-created_at": "Newest first",
    "created_at": "Oldest first",
    "run_id": "Run id",
    "-run_id": "Run id, backwards",
    "state": "State",
    "-ended_at": "Ended last",
    "-priority": "Priority",
}


class SessionFilter(django_filters.FilterSet):
    """Filters by state (or group of states), behavior, trainer, environment, tag, project, date, text, shelf."""

    state = django_filters.MultipleChoiceFilter(choices=STATE_CHOICES, method="by_state")
    behavior = django_filters.CharFilter(method="by_behavior")
    trainer = django_filters.CharFilter(field_name="trainer__name")
    environment = django_filters.CharFilter(field_name="environment__name")
    tag = django_filters.CharFilter(method="by_tag")
    project = django_filters.CharFilter(field_name="project")
    archived = django_filters.ChoiceFilter(choices=[(key, key) for key in SHELVES], method="by_shelf")
    text = django_filters.CharFilter(method="by_text", max_length=200)
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    origin = django_filters.MultipleChoiceFilter(choices=ORIGINS)
    trash = django_filters.BooleanFilter(field_name="trashed_at", lookup_expr="isnull", exclude=True)
    order = django_filters.ChoiceFilter(choices=list(ORDERS.items()), method="ordered")

    class Meta:
        model = TrainingSession
        fields: list[str] = []

    def by_state(self, queryset: QuerySet[TrainingSession], _: str, words: list[str]) -> QuerySet[TrainingSession]:
        wanted = [word for word in words if word not in GROUPS]
        wanted += [state for word in words if word in GROUPS for state in values(GROUPS[word])]
        return queryset.filter(state__in=wanted) if wanted else queryset

    def by_behavior(self, queryset: QuerySet[TrainingSession], _: str, name: str) -> QuerySet[TrainingSession]:
        return queryset.filter(pk__in=BehaviorProgress.objects.filter(name=name).values("session"))

    def by_tag(self, queryset: QuerySet[TrainingSession], _: str, tag: str) -> QuerySet[TrainingSession]:
        return queryset.filter(tags__icontains=f'"{tag}"')

    def by_shelf(self, queryset: QuerySet[TrainingSession], _: str, shelf: str) -> QuerySet[TrainingSession]:
        return queryset.filter(SHELVES[shelf])

    def by_text(self, queryset: QuerySet[TrainingSession], _: str, text: str) -> QuerySet[TrainingSession]:
        found = Q(run_id__icontains=text) | Q(name__icontains=text) | Q(notes__icontains=text)
        return queryset.filter(found | Q(tags__icontains=text) | Q(explanation__icontains=text))

    def ordered(self, queryset: QuerySet[TrainingSession], _: str, order: str) -> QuerySet[TrainingSession]:
        return queryset.order_by(order, "-pk")


def filtered(queryset: QuerySet[TrainingSession], query: QueryDict) -> SessionFilter:
    """Return the filter bound to a query; trash, archive and what is thrown away are left out unless asked for."""
    if "origin" not in query:
        queryset = queryset.exclude(origin__in=THROWN_AWAY)
    if "trash" not in query:
        queryset = queryset.filter(trashed_at__isnull=True)
    if "trash" not in query and "archived" not in query:
        queryset = queryset.filter(archived_at__isnull=True)
    return SessionFilter(query, queryset=queryset.order_by("-created_at", "-pk"))


def behavior_names(user: User) -> list[str]:
    """Return the names of the behaviors of all sessions that a user may see, in order."""
    names = BehaviorProgress.objects.order_by("name").values_list("name", flat=True).distinct()
    return list(names if sees_all(user) else names.filter(session__in=visible_sessions(user)))


@dataclass(frozen=True)
class Choice:
    """A value to filter by, and how many sessions outside the trash have it, archived ones included."""

    value: str
    count: int


def projects(queryset: QuerySet[TrainingSession]) -> list[Choice]:
    """Return the projects of these sessions, in order."""
    rows = queryset.filter(trashed_at__isnull=True).exclude(project="").order_by("project").values_list("project")
    return [Choice(value, count) for value, count in rows.annotate(count=Count("pk"))]


def trainer_names() -> list[str]:
    """Return what trains, in order."""
    return list(Trainer.objects.order_by("name").values_list("name", flat=True))


def environment_names() -> list[str]:
    """Return what is trained in, in order."""
    return list(Environment.objects.order_by("name").values_list("name", flat=True))
