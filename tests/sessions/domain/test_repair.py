"""What a resume needs mended is told from the files alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.domain.repair import Mend, Plan, Shelf, is_sound, plan

CURRENT = "checkpoint.pt"


def planned(conditions: Mapping[str, str], *shelves: Shelf) -> Plan:
    return plan(shelves, lambda behavior, name: conditions.get(f"{behavior}/{name}", "missing"))


BALL = Shelf("Ball", ["Ball-1000.pt", "Ball-500.pt"])
WALL = Shelf("Wall", ["Wall-800.pt"])


def test_what_is_whole_is_left_alone_and_nothing_else_is_read() -> None:
    asked = []

    def condition(behavior: str, name: str) -> str:
        asked.append(name)
        return "whole"

    assert plan([BALL], condition) == Plan()
    assert asked == [CURRENT]


@pytest.mark.parametrize("now", ["broken", "missing", "blank"])
def test_the_newest_whole_checkpoint_takes_the_place_of_one_that_cannot_be_used(now: str) -> None:
    found = planned({f"Ball/{CURRENT}": now, "Ball/Ball-1000.pt": "broken", "Ball/Ball-500.pt": "whole"}, BALL)
    assert found == Plan(mends=[Mend("Ball", "Ball-500.pt", f"checkpoint.pt was {now}")])


def test_a_behavior_that_saved_nothing_begins_at_step_0_while_the_others_go_on() -> None:
    found = planned({f"Ball/{CURRENT}": "whole"}, BALL, Shelf("Wall"))
    assert found == Plan(mends=[Mend("Wall", None, "it has saved nothing so far")])
    blank = planned({f"Ball/{CURRENT}": "whole", f"Wall/{CURRENT}": "blank"}, BALL, Shelf("Wall"))
    assert blank == Plan(), "it was given its blank checkpoint before"


def test_a_behavior_whose_files_are_all_broken_begins_at_step_0_while_the_others_go_on() -> None:
    found = planned({f"Ball/{CURRENT}": "whole", f"Wall/{CURRENT}": "broken", "Wall/Wall-800.pt": "broken"}, BALL, WALL)
    assert found == Plan(mends=[Mend("Wall", None, "checkpoint.pt was broken, and there is no other")])


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ({}, "Nothing was saved."),
        ({f"Ball/{CURRENT}": "blank"}, "Nothing was saved."),
        ({f"Ball/{CURRENT}": "broken", f"Wall/{CURRENT}": "broken"}, "No checkpoint of Ball and Wall can be read."),
    ],
)
def test_where_nothing_can_be_used_all_begins_anew(conditions: dict[str, str], why: str) -> None:
    assert planned(conditions, BALL, WALL).fresh == why
    assert planned({}).fresh == "Nothing was saved."


def test_a_checkpoint_that_is_not_trusted_gives_way_only_to_one_that_is_whole() -> None:
    doubted = Shelf("Ball", ["checkpoint.pt.before-attempt-2"], distrusted="it is of another network")
    better = {f"Ball/{CURRENT}": "whole", "Ball/checkpoint.pt.before-attempt-2": "whole"}
    mend = Mend("Ball", "checkpoint.pt.before-attempt-2", "it is of another network")
    assert planned(better, doubted) == Plan(mends=[mend])
    assert planned({f"Ball/{CURRENT}": "whole"}, doubted) == Plan()


CONDITIONS = st.sampled_from(["whole", "blank", "broken", "missing"])


@given(st.lists(st.tuples(CONDITIONS, st.lists(CONDITIONS, max_size=3)), max_size=4))
def test_after_the_plan_every_behavior_can_be_loaded_or_all_begins_anew(shelves: list[tuple[str, list[str]]]) -> None:
    files = {}
    for number, (now, others) in enumerate(shelves):
        files[f"B{number}/{CURRENT}"] = now
        files |= {f"B{number}/{at}.pt": one for at, one in enumerate(others)}
    found = planned(files, *(Shelf(f"B{number}", [f"{at}.pt" for at in range(len(others))])
                             for number, (_, others) in enumerate(shelves)))  # fmt: skip
    assert bool(found.fresh) == ("whole" not in files.values())
    if not found.fresh:
        for mend in found.mends:
            files[f"{mend.behavior}/{CURRENT}"] = files[f"{mend.behavior}/{mend.source}"] if mend.source else "blank"
        assert {files[f"B{number}/{CURRENT}"] for number in range(len(shelves))} <= {"whole", "blank"}


CHECKPOINT = {"steps": 5, "file_path": "Ball-5.onnx", "reward": None, "auxillary_file_paths": ["Ball-5.pt"]}
SOUND = {"Ball": {"checkpoints": [CHECKPOINT], "elo": 1200.5}, "height": {"lesson_num": 2}, "metadata": {}}


@pytest.mark.parametrize(
    ("status", "sound"),
    [
        (SOUND, True),
        ({"metadata": {}}, True),
        ({"metadata": {}, "Ball": {"checkpoints": [{"file_path": "Ball-5.nn"}]}}, True),
        (None, False),
        ([], False),
        ({}, False),
        ({"metadata": 3}, False),
        ({**SOUND, "Ball": 3}, False),
        ({**SOUND, "Ball": {"checkpoints": {}}}, True),
        ({**SOUND, "Ball": {"checkpoints": "all"}}, False),
        ({**SOUND, "Ball": {"checkpoints": [{"steps": 5}]}}, False),
        ({**SOUND, "Ball": {"checkpoints": [{**CHECKPOINT, "auxillary_file_paths": [5]}]}}, False),
        ({**SOUND, "height": {"lesson_num": "two"}}, False),
        ({**SOUND, "Ball": {"elo": None}}, False),
    ],
)
def test_a_status_is_sound_when_ml_agents_can_go_on_from_it(status: Any, sound: bool) -> None:
    assert is_sound(status) is sound
