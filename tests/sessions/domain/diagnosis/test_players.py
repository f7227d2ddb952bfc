"""What Unity's own log adds to a diagnosis."""

from __future__ import annotations

import pytest

from sessions.domain.diagnosis.explain import Diagnosis, diagnose
from sessions.domain.diagnosis.player_causes import PLAYER_CAUSES
from sessions.domain.diagnosis.players import read_player_log, with_players, with_players_words
from sessions.domain.diagnosis.reading import read_console
from sessions.domain.diagnosis.remedies import REMEDIES
from tests.sessions.domain.diagnosis.samples import RAISED

LINES = {
    "player_display": "Vulkan error: vkCreateInstance failed: no suitable driver",
    "player_incomplete": "./Ball.x86_64: error while loading shared libraries: UnityPlayer.so: cannot open it",
    "player_trainer": "Couldn't connect to trainer on port 5005 using API version 1.5.0. Will perform inference.",
    "player_version": "The Communicator API version is not compatible between Unity and python.",
    "player_model": "Unity.Sentis.ModelLoaderException: the version of the model is too old",
    "player_native_library": "DllNotFoundException: lib_physics assembly:<unknown assembly>",
    "player_memory": "DynamicHeapAllocator out of memory - Could not get memory for large allocation 268435456!",
    "player_observations": "More observations (9) made than vector observation size (8). They will be truncated.",
    "player_components": "The referenced script (Unknown) on this Behaviour is missing!",
    "player_exception": "NullReferenceException: Object reference not set to an instance of an object",
    "player_crash": "Caught fatal signal - signo:11 code:1 errno:0 addr:(nil)",
}


def crashed() -> Diagnosis:
    text = f'Traceback (most recent call last):\n  File "x.py", line 1\n{RAISED["env_exit"]}\n'
    found = diagnose(read_console(text))
    assert found is not None
    return found


@pytest.mark.parametrize("entry", PLAYER_CAUSES, ids=lambda entry: entry.id)
def test_what_a_player_wrote_is_the_cause_where_only_unity_knows(entry) -> None:  # type: ignore[no-untyped-def]
    log = read_player_log(f"Mono path[0]\n{LINES[entry.id]}\nat Agent.Act ()\n", source="Player-0.log")
    told = with_players(crashed(), [log])
    assert told.id == "env_exit"
    assert told.cause.startswith(entry.title)
    assert told.evidence[-1].source == "Player-0.log"
    assert [one.id for one in told.actions][: len(entry.remedies)] == list(entry.remedies)
    assert set(entry.remedies) <= set(REMEDIES)


def test_what_a_player_wrote_into_the_console_of_the_trainer_counts_too() -> None:
    lines = ["Mono path[0]", LINES["player_display"], LINES["player_exception"]]
    told = with_players_words(crashed(), lines, source="a.txt", first_line=3)
    assert told.cause.startswith("Unity found no display")
    assert [(one.source, one.line) for one in told.evidence][-1] == ("a.txt", 4)


def test_what_the_console_explains_stays_its_cause() -> None:
    found = diagnose(read_console(f'Traceback (most recent call last):\n  File "x.py", line 1\n{RAISED["cuda_oom"]}\n'))
    assert found is not None
    told = with_players(found, [read_player_log(LINES["player_exception"], source="Player-0.log")])
    assert told.cause == found.cause
    assert len(told.evidence) == len(found.evidence) + 1


def test_what_kept_it_from_starting_counts_more_than_what_came_of_it() -> None:
    log = read_player_log(f"{LINES['player_exception']}\n{LINES['player_display']}\n", source="Player-0.log")
    assert log.cause is not None
    assert log.cause.id == "player_display"
    assert len(log.evidence) == 2
