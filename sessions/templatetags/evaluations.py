"""Evaluations beside the checkpoint they are of."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from sessions.selectors.checkpoints import CheckpointShape
from sessions.selectors.evaluations import EvaluationShape

register = template.Library()


@register.filter
def of_checkpoint(found: Iterable[EvaluationShape], checkpoint: CheckpointShape) -> list[EvaluationShape]:
    """Return the evaluations of the very bytes that this checkpoint has now, the newest first."""
    digests = {file.sha256 for file in checkpoint.files if file.sha256}
    return [one for one in found if one.behavior == checkpoint.behavior and one.sha256 in digests]


@register.filter
def shape_of(shape: list[int | str] | None) -> str:
    """Return the shape of an input or output as people write it."""
    return "of any shape" if shape is None else " \N{MULTIPLICATION SIGN} ".join(map(str, shape)) or "a single value"


@register.filter
def plain_numbers(values: Iterable[float]) -> str:
    """Return the numbers of a constant without needless decimals."""
    return ", ".join(f"{value:g}" for value in values)
