"""Long lists of sessions, of which a page is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import overload

from django.db.models import QuerySet

from sessions.models import TrainingSession


class Chosen(Sequence[TrainingSession]):
    """The sessions of a filtered and ordered query, read in two steps.

    First the keys of all, which an index answers and which say how many there are, however they are filtered and
    ordered; then the rows of the slice that is looked at, by key, from `rows`.
    """

    def __init__(self, chosen: QuerySet[TrainingSession], rows: QuerySet[TrainingSession]) -> None:
        self._chosen, self._rows = chosen, rows

    @cached_property
    def keys(self) -> list[int]:
        """The keys of all chosen sessions, in their order."""
        return list(self._chosen.values_list("pk", flat=True))

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, part: int) -> TrainingSession: ...

    @overload
    def __getitem__(self, part: slice) -> list[TrainingSession]: ...

    def __getitem__(self, part: int | slice) -> TrainingSession | list[TrainingSession]:
        """Return the sessions of a slice; one that vanished meanwhile is left out."""
        if isinstance(part, int):
            return self._rows.get(pk=self.keys[part])
        found = {session.pk: session for session in self._rows.filter(pk__in=self.keys[part]).order_by()}
        return [found[key] for key in self.keys[part] if key in found]
