"""The shapes of the weights in a checkpoint of ML-Agents, read without torch. An unpickled checkpoint is code.

So nothing that a checkpoint names is ever looked up: tensors become their shapes, everything else an empty thing.
"""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sessions.domain.preflight.networks import Network, Shape, network_of
from sessions.trainers.checkpoints import UNREADABLE

# The names of weights and their shapes: 14 kB in a usual checkpoint, 300 kB in one with a hundred layers.
MOST_BYTES = 2 << 20
POLICY = "Policy"


def network_in(path: Path) -> Network | None:
    """Return the network of the policy that a checkpoint holds; None when it cannot be told."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return _look(str(path), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _look(path: str, size: int, modified_ns: int) -> Network | None:
    """A form asks after every key that is pressed; size and time tell when a file is another."""
    shapes = shapes_in(Path(path)).get(POLICY)
    return network_of(shapes) if shapes else None


def shapes_in(path: Path) -> dict[str, dict[str, Shape]]:
    """Return the shapes of the weights by module, such as Policy, and name; empty for what is no such checkpoint."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+/data\.pkl", name))
            with archive.open(member) as stream:
                content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            return {}
        found: Any = _Shapes(io.BytesIO(content)).load()
        return {name: _of_module(module) for name, module in found.items() if isinstance(module, Mapping)}
    except (*UNREADABLE, *MALFORMED):
        return {}


def _of_module(module: Mapping[Any, Any]) -> dict[str, Shape]:
    return {str(name): shape for name, shape in module.items() if isinstance(shape, tuple)}


class _Table(dict[Any, Any]):
    """An OrderedDict of the checkpoint; torch gives some of them attributes."""


class _Nothing:
    """Stands for whatever else a checkpoint names."""

    def __new__(cls, *given: Any, **named: Any) -> _Nothing:
        return super().__new__(cls)

    def __init__(self, *given: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def _shape(storage: Any, offset: Any, size: Any, *rest: Any) -> Shape:
    return tuple(int(one) for one in size)


STANDS_FOR: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Table,
    ("torch._utils", "_rebuild_tensor_v2"): _shape,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *rest: tensor,
}
MALFORMED = (
    pickle.UnpicklingError, AttributeError, IndexError, KeyError, TypeError, RecursionError, MemoryError, OverflowError,
    StopIteration, AssertionError,
)  # fmt: skip


class _Shapes(pickle._Unpickler):
    """Python's own, not C's: a number in a hostile file makes C's reserve any amount of memory."""

    def find_class(self, module: str, name: str) -> Any:
        return STANDS_FOR.get((module, name), _Nothing)

    def persistent_load(self, key: Any) -> None:
        return None

    def get_extension(self, code: int) -> None:
        raise pickle.UnpicklingError("no extension")
