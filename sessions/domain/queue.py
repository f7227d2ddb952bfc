"""Who is next: which waiting sessions may start now, with which ports and GPU, and what the others wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

EDITOR_PORT = 5004
PORTS_TRIED = 2000
LAST_PORT = 65535


@dataclass(frozen=True)
class Waiting:
    """One attempt in the queue.

    `seconds_left` until it may start, 0 for now; `after` is the run id it waits for, None once that has ended.
    `ports` is how many in a row its environments listen on, 0 for a trainer without Unity and for the Editor.
    `device` is what the user chose for PyTorch, None for nothing. `disk_is_short` is about the disk of its results.
    """

    key: int
    priority: int
    place: int
    held: bool = False
    seconds_left: float = 0.0
    after: str | None = None
    editor: bool = False
    ports: int = 0
    device: str | None = None
    disk_is_short: bool = False


@dataclass(frozen=True)
class Room:
    """What is left of a machine; `gpu_load` counts the sessions on each GPU, by its number."""

    free_slots: int
    leased: frozenset[int]
    base_port: int
    gpu_load: tuple[int, ...] = ()
    disk_is_short: bool = False


@dataclass(frozen=True)
class Grant:
    """May start now, with these ports and this device (empty leaves the choice as it is)."""

    key: int
    ports: tuple[int, ...] = ()
    device: str = ""


@dataclass(frozen=True)
class Wait:
    """May not start yet; `reason` is one word, `why` a sentence."""

    key: int
    reason: str
    why: str


def in_order(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return the queue: highest priority first, then by place, then the oldest."""
    return sorted(waiting, key=lambda one: (-one.priority, one.place, one.key))


def decide(waiting: Iterable[Waiting], room: Room, port_is_free: Callable[[int], bool]) -> list[Grant | Wait]:
    """Return one decision for each that waits, in the order of the queue.

    Who lacks something that only he needs (a port, the Editor, his time) does not stand in the way of those behind.
    """
    decisions: list[Grant | Wait] = []
    for one in in_order(waiting):
        decision = _decide(one, room, port_is_free)
        if isinstance(decision, Grant):
            room = _without(room, decision)
        decisions.append(decision)
    return decisions


def _decide(one: Waiting, room: Room, port_is_free: Callable[[int], bool]) -> Grant | Wait:
    obstacle = _own_obstacle(one) or _obstacle_of_all(one, room)
    if obstacle is not None:
        return obstacle
    ports = _ports_for(one, room, port_is_free)
    if ports is not None:
        return Grant(one.key, ports, _device_for(one, room))
    if one.editor:
        return Wait(one.key, "Editor", "Waits for the Editor: another session holds it.")
    return Wait(one.key, "port", f"Waits for {_count(one.ports)} that nothing else uses.")


def _own_obstacle(one: Waiting) -> Wait | None:
    if one.held:
        return Wait(one.key, "release", "Held; it waits to be released.")
    if one.after is not None:
        return Wait(one.key, "session", f"Waits for {one.after} to end.")
    if one.seconds_left > 0:
        return Wait(one.key, "time", "Waits for its time to start.")
    if one.disk_is_short:
        return Wait(one.key, "disk", "Waits for disk space: less than the reserve is free where its results are kept.")
    return None


def _obstacle_of_all(one: Waiting, room: Room) -> Wait | None:
    if room.disk_is_short:
        return Wait(one.key, "disk", "Waits for disk space: less than the reserve is free.")
    if room.free_slots < 1:
        return Wait(one.key, "slot", "Waits for a free slot.")
    return None


def _count(ports: int) -> str:
    return "a port" if ports == 1 else f"{ports} ports in a row"


def _ports_for(one: Waiting, room: Room, port_is_free: Callable[[int], bool]) -> tuple[int, ...] | None:
    if one.editor:
        # Whether anything outside MENTOR has it is the trainer's to find out: the Editor itself never listens there.
        return None if EDITOR_PORT in room.leased else (EDITOR_PORT,)
    if not one.ports:
        return ()
    return _block(one.ports, room, port_is_free)


def _block(count: int, room: Room, port_is_free: Callable[[int], bool]) -> tuple[int, ...] | None:
    """The first run of `count` ports that nobody leases or uses; each port is tried at most once."""
    first = room.base_port
    for port in range(room.base_port, min(room.base_port + PORTS_TRIED, LAST_PORT + 1)):
        if port == EDITOR_PORT or port in room.leased or not port_is_free(port):
            first = port + 1
        elif port - first + 1 == count:
            return tuple(range(first, port + 1))
    return None


def _device_for(one: Waiting, room: Room) -> str:
    """With several GPUs, the least busy one, and of those the first; never against the user's choice."""
    if len(room.gpu_load) < 2 or one.device not in (None, "cuda"):
        return ""
    return f"cuda:{room.gpu_load.index(min(room.gpu_load))}"


def _without(room: Room, grant: Grant) -> Room:
    load = list(room.gpu_load)
    if grant.device:
        load[int(grant.device.removeprefix("cuda:"))] += 1
    return replace(room, free_slots=room.free_slots - 1, leased=room.leased | set(grant.ports), gpu_load=tuple(load))


def moved(queue: Sequence[Waiting], key: int, index: int) -> list[Waiting]:
    """Return the waiting sessions whose priority or place changes when `key` moves to `index` (from 0) of the queue.

    The places that are in use are handed out anew; the moved one takes the priority of where it stands now, so that
    the order holds. Raises ValueError when `key` does not wait.
    """
    before = in_order(queue)
    one = next((one for one in before if one.key == key), None)
    if one is None:
        raise ValueError(f"{key} is not in the queue")
    others = [other for other in before if other is not one]
    index = max(0, min(index, len(others)))
    after = [*others[:index], replace(one, priority=_between(one.priority, others, index)), *others[index:]]
    if [each.key for each in after] == [each.key for each in before]:
        return []
    places = _places(queue)
    new = [replace(each, place=place) for each, place in zip(after, places, strict=True)]
    old = {each.key: each for each in before}
    return [each for each in new if old[each.key] != each]


def _between(priority: int, others: Sequence[Waiting], index: int) -> int:
    """The nearest priority to the own one that is at most the neighbour's before and at least the one's after."""
    if index > 0:
        priority = min(priority, others[index - 1].priority)
    if index < len(others):
        priority = max(priority, others[index].priority)
    return priority


def _places(queue: Sequence[Waiting]) -> list[int]:
    """The places in use, made different from one another."""
    places: list[int] = []
    for place in sorted(one.place for one in queue):
        places.append(max(place, places[-1] + 1) if places else place)
    return places
