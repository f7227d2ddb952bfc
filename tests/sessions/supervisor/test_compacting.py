"""What ended trainings left is looked for once a minute, whatever else goes on."""

from __future__ import annotations

from sessions.supervisor.compacting import LOOK_SECONDS, Compacting


def test_it_is_asked_for_at_the_first_look_and_then_once_a_minute() -> None:
    asked: list[int] = []

    def ask() -> bool:
        asked.append(1)
        return True

    compacting = Compacting(ask=ask)
    for second in range(int(2 * LOOK_SECONDS) + 1):
        compacting.tick(float(second), [])
    assert len(asked) == 3
