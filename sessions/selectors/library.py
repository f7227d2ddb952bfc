"""Configurations that users keep under a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise

from sessions.domain.yaml_tree import parse
from sessions.errors import Missing
from sessions.models import KeptConfig
from sessions.selectors.configs import Difference, between


@dataclass(frozen=True)
class VersionShape:
    """One version; `differences` are those from the version before it, of which the first has none."""

    id: int
    name: str
    version: int
    kept_by: str
    kept_at: datetime
    text: str
    differences: tuple[Difference, ...]


def newest_kept() -> list[KeptConfig]:
    """Return the newest version of every name, without texts."""
    rows = KeptConfig.objects.defer("text")
    return [next(versions) for _, versions in groupby(rows, key=lambda one: one.name)]


def all_kept() -> list[KeptConfig]:
    """Return every version of every name, newest first, without texts."""
    return list(KeptConfig.objects.defer("text"))


def kept_versions() -> list[list[VersionShape]]:
    """Return all names in their order, each with its versions, newest first."""
    rows = KeptConfig.objects.select_related("kept_by")
    return [_shapes(list(versions)) for _, versions in groupby(rows, key=lambda one: one.name)]


def kept(key: int) -> KeptConfig:
    """Return one version; raises Missing."""
    found = KeptConfig.objects.filter(pk=key).first()
    if found is None:
        raise Missing("There is no such configuration.")
    return found


def _shapes(versions: list[KeptConfig]) -> list[VersionShape]:
    trees = [parse(one.text.encode()).tree for one in versions]
    changes = [between(before, now) for now, before in pairwise(trees)]
    return [
        VersionShape(
            one.pk,
            one.name,
            one.version,
            one.kept_by.get_username() if one.kept_by else "",
            one.kept_at,
            one.text,
            tuple(differences),
        )
        for one, differences in zip(versions, [*changes, []], strict=True)
    ]
