"""Who is next in the queue: the rules alone, then a machine that lives through any history of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sessions.domain.queue import EDITOR_PORT, Grant, Room, Wait, Waiting, decide, in_order, moved

BASE = 15005
FREE = Room(free_slots=10, leased=frozenset(), base_port=BASE)


def everything_free(port: int) -> bool:
    return True


def reasons(decisions: list[Grant | Wait]) -> dict[int, str]:
    return {one.key: one.reason if isinstance(one, Wait) else "" for one in decisions}


def keys(queue: list[Waiting]) -> list[int]:
    return [one.key for one in in_order(queue)]


def apply(queue: list[Waiting], changes: list[Waiting]) -> list[Waiting]:
    changed = {one.key: one for one in changes}
    return [changed.get(one.key, one) for one in queue]


def test_what_a_session_itself_lacks_is_said_before_what_the_machine_lacks() -> None:
    full = replace(FREE, free_slots=0)
    queue = [
        Waiting(1, 0, 1, held=True, after="ball", seconds_left=5),
        Waiting(2, 0, 2, after="ball", seconds_left=5),
        Waiting(3, 0, 3, seconds_left=0.1),
        Waiting(4, 0, 4),
    ]
    assert reasons(decide(queue, full, everything_free)) == {1: "release", 2: "session", 3: "time", 4: "slot"}


def test_a_short_disk_stops_everything_new() -> None:
    assert reasons(decide([Waiting(1, 0, 1)], replace(FREE, disk_is_short=True), everything_free)) == {1: "disk"}


def test_a_short_disk_of_its_own_results_holds_nobody_else_back() -> None:
    queue = [Waiting(1, 9, 1, disk_is_short=True), Waiting(2, 0, 2)]
    assert reasons(decide(queue, FREE, everything_free)) == {1: "disk", 2: ""}


def test_a_lack_of_ports_holds_nobody_else_back() -> None:
    queue = [Waiting(1, 9, 1, ports=2), Waiting(2, 0, 2)]
    assert reasons(decide(queue, FREE, lambda port: False)) == {1: "port", 2: ""}


def test_a_block_never_takes_the_port_of_the_editor() -> None:
    room = replace(FREE, base_port=EDITOR_PORT - 1)
    decision = decide([Waiting(1, 0, 1, ports=2)], room, everything_free)[0]
    assert decision == Grant(1, (EDITOR_PORT + 1, EDITOR_PORT + 2))


def test_a_block_ends_with_the_last_port_there_is() -> None:
    room = replace(FREE, base_port=65534)
    two, three = Waiting(1, 0, 1, ports=2), Waiting(2, 0, 2, ports=3)
    assert decide([two], room, everything_free) == [Grant(1, (65534, 65535))]
    assert reasons(decide([three], room, everything_free)) == {2: "port"}


@pytest.mark.parametrize(
    ("load", "device", "given"),
    [((), None, ""), ((0,), None, ""), ((1, 0), None, "cuda:1"), ((1, 1, 0), "cuda", "cuda:2"), ((0, 0), "cpu", "")],
)
def test_the_least_busy_gpu_is_given_where_there_is_a_choice(load: tuple[int, ...], device: str, given: str) -> None:
    decision = decide([Waiting(1, 0, 1, device=device)], replace(FREE, gpu_load=load), everything_free)[0]
    assert decision == Grant(1, (), given)


def test_moving_says_which_rows_change() -> None:
    queue = [Waiting(1, 5, 40), Waiting(2, 0, 20), Waiting(3, 0, 30), Waiting(4, -5, 10)]
    assert keys(apply(queue, moved(queue, 4, 1))) == [1, 4, 2, 3]
    assert keys(apply(queue, moved(queue, 1, 3))) == [2, 3, 4, 1]
    assert moved(queue, 2, 1) == []
    assert keys(apply(queue, moved(queue, 2, 99))) == [1, 3, 4, 2]
    with pytest.raises(ValueError, match="not in the queue"):
        moved(queue, 9, 0)


waitings = st.lists(
    st.builds(Waiting, key=st.integers(0, 10**6), priority=st.integers(-3, 3), place=st.integers(0, 5)),
    min_size=1,
    max_size=12,
    unique_by=lambda one: one.key,
)


@hypothesis_settings(deadline=None)
@given(queue=waitings, data=st.data())
def test_a_moved_session_stands_where_it_was_put_and_nobody_else_overtakes(
    queue: list[Waiting], data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from([one.key for one in queue]))
    index = data.draw(st.integers(0, len(queue) - 1))
    before = keys(queue)
    after = keys(apply(queue, moved(queue, key, index)))
    assert after.index(key) == index
    assert [one for one in after if one != key] == [one for one in before if one != key]


wishes = st.one_of(
    st.builds(Waiting, key=st.just(0), place=st.just(0), priority=st.integers(-2, 2), held=st.booleans()),
    st.builds(
        Waiting,
        key=st.just(0),
        place=st.just(0),
        priority=st.integers(-2, 2),
        seconds_left=st.sampled_from([0.0, 60.0]),
        ports=st.integers(0, 4),
        device=st.sampled_from([None, "cuda", "cpu"]),
    ),
    st.builds(Waiting, key=st.just(0), place=st.just(0), priority=st.integers(-2, 2), editor=st.just(True)),
)


class QueueMachine(RuleBasedStateMachine):
    """A machine with few slots and ports, and users who do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[int, Waiting] = {}
        self.running: dict[int, tuple[Waiting, Grant]] = {}
        self.busy_outside: set[int] = set()
        self.added = 0
        self.last_place = 0
        self.disk_is_short = False

    @initialize(slots=st.integers(1, 4), gpus=st.integers(0, 3))
    def begin(self, slots: int, gpus: int) -> None:
        self.slots, self.gpus = slots, gpus

    def room(self) -> Room:
        devices = [grant.device for _, grant in self.running.values()]
        return Room(
            free_slots=self.slots - len(self.running),
            leased=frozenset(port for _, grant in self.running.values() for port in grant.ports),
            base_port=BASE,
            gpu_load=tuple(devices.count(f"cuda:{number}") for number in range(self.gpus)),
            disk_is_short=self.disk_is_short,
        )

    @rule(wishes=st.lists(wishes, min_size=1, max_size=6))
    def add(self, wishes: list[Waiting]) -> None:
        for wish in wishes:
            self.added += 1
            self.last_place += 1
            self.waiting[self.added] = replace(wish, key=self.added, place=self.last_place)

    @rule(data=st.data())
    def hold_or_release(self, data: st.DataObject) -> None:
        if not self.waiting:
            return
        key = data.draw(st.sampled_from(sorted(self.waiting)))
        self.waiting[key] = replace(self.waiting[key], held=not self.waiting[key].held)

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        if not self.waiting:
            return
        key = data.draw(st.sampled_from(sorted(self.waiting)))
        index = data.draw(st.integers(0, len(self.waiting) - 1))
        for one in moved(list(self.waiting.values()), key, index):
            self.waiting[one.key] = one
        self.last_place = max(self.last_place, *(one.place for one in self.waiting.values()))
        assert keys(list(self.waiting.values()))[index] == key

    @rule()
    def time_passes(self) -> None:
        self.waiting = {key: replace(one, seconds_left=0.0) for key, one in self.waiting.items()}

    @rule(port=st.integers(BASE, BASE + 8))
    def something_else_uses_a_port(self, port: int) -> None:
        self.busy_outside ^= {port}

    @rule()
    def the_disk_fills_or_empties(self) -> None:
        self.disk_is_short = not self.disk_is_short

    @rule(data=st.data())
    def one_ends(self, data: st.DataObject) -> None:
        if self.running:
            self.running.pop(data.draw(st.sampled_from(sorted(self.running))))

    @rule()
    def tick(self) -> None:
        before, room = in_order(self.waiting.values()), self.room()
        decisions = decide(self.waiting.values(), room, lambda port: port not in self.busy_outside)
        assert [one.key for one in decisions] == [one.key for one in before]
        for one, decision in zip(before, decisions, strict=True):
            if isinstance(decision, Grant):
                self.check_grant(one, decision)
                self.running[one.key] = (self.waiting.pop(one.key), decision)
            else:
                self.check_wait(one, decision)

    def check_grant(self, one: Waiting, grant: Grant) -> None:
        assert not one.held
        assert one.seconds_left <= 0
        assert not self.disk_is_short
        assert len(grant.ports) == (1 if one.editor else one.ports)
        assert not self.busy_outside & set(grant.ports)
        if one.ports:
            assert list(grant.ports) == list(range(grant.ports[0], grant.ports[0] + one.ports))
        assert (grant.device == "") == (self.gpus < 2 or one.device == "cpu")

    def check_wait(self, one: Waiting, wait: Wait) -> None:
        """Decisions come in the queue's order, so what runs now is what was before this one or ran already."""
        expected = {
            "release": one.held,
            "time": one.seconds_left > 0,
            "disk": self.disk_is_short,
            "slot": len(self.running) == self.slots,
            "Editor": one.editor and any(other.editor for other, _ in self.running.values()),
            "port": one.ports > 0 and len(self.running) < self.slots,
        }
        assert expected[wait.reason]

    @invariant()
    def no_limit_is_broken(self) -> None:
        ports = [port for _, grant in self.running.values() for port in grant.ports]
        assert len(ports) == len(set(ports))
        assert len(self.running) <= getattr(self, "slots", 0)
        assert len(self.waiting) + len(self.running) <= self.added

    def teardown(self) -> None:
        """Nobody is forgotten: once nothing stands in the way, everyone's turn comes."""
        self.disk_is_short = False
        self.busy_outside.clear()
        self.waiting = {key: replace(one, held=False, seconds_left=0.0) for key, one in self.waiting.items()}
        for _ in range(self.added + 1):
            self.running.clear()
            self.tick()
        assert not self.waiting


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = hypothesis_settings(max_examples=60, stateful_step_count=40, deadline=None)
