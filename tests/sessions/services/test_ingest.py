"""Reading what an attempt wrote: everything once, nothing in halves, from the stored positions onward."""

from __future__ import annotations

import math

import pytest
from django.contrib.auth.models import User

from sessions.domain.states import State
from sessions.metrics.codec import unpack
from sessions.models import Attempt, BehaviorProgress, EventFile, Series, SeriesChunk, SessionEvent, TrainingSession
from sessions.services import ingest, starting
from sessions.services.ingest import Overtaken
from tests.factories import make_request, make_session
from tests.sessions.attempts import (
    CONNECTED,
    INTERRUPTED,
    LISTENING,
    NEW_BRAIN,
    OnDisk,
    framed,
    record_of,
    summary,
)

pytestmark = pytest.mark.usefixtures("home")
REWARD = "Environment/Cumulative Reward"


@pytest.fixture
def written(ada: User, home: object) -> OnDisk:
    """A session that is starting, with an empty directory."""
    return OnDisk(make_session(owner=ada, state=State.STARTING))


def steps_of(written: OnDisk, tag: str = REWARD) -> list[int]:
    chunks = SeriesChunk.objects.filter(series__attempt=written.pk, series__tag=tag).order_by("first")
    return [step for chunk in chunks for step in unpack(bytes(chunk.data)).steps]


def states_of(session: TrainingSession) -> list[str]:
    return list(SessionEvent.objects.filter(session=session).values_list("to_state", flat=True))


# The console


def test_a_summary_becomes_the_behavior_s_standing(written: OnDisk) -> None:
    written.say(summary(500), summary(1000, seconds=3.0, reward="-2.250"))
    written.ingester().step()
    ball = BehaviorProgress.objects.get(session=written.session, name="Ball")
    assert (ball.step, ball.mean_reward, ball.std_reward, ball.elapsed_seconds) == (1000, -2.25, 0.25, 3.0)
    assert (ball.max_steps, ball.seen) == (2000, True)


def test_the_position_is_behind_the_last_whole_line(written: OnDisk) -> None:
    written.say(summary(500))
    whole = written.directory.console.stat().st_size
    written.write(summary(1000).encode())
    reader = written.ingester()
    reader.step()
    assert (written.attempt.console_offset, written.session.behaviors.get().step) == (whole, 500)
    written.write(b"\n")
    reader.step()
    assert (written.attempt.console_offset, written.session.behaviors.get().step) == (
        written.directory.console.stat().st_size,
        1000,
    )


def test_a_character_that_is_cut_in_the_middle_is_whole_later(written: OnDisk) -> None:
    line = summary(500, behavior="Bällé").encode()
    cut = line.index("ä".encode()) + 1
    reader = written.ingester()
    for part in (line[:cut], line[cut:] + b"\n"):
        written.write(part)
        reader.step()
    assert written.session.behaviors.get(seen=True).name == "Bällé"


@pytest.mark.parametrize("line", [b"\xff\xfe[INFO] \x00\x1b[31m", b"", b"\r", b"x" * 100_000, b"[INFO] Ball. Step: ."])
def test_lines_that_say_nothing_are_passed_over(written: OnDisk, line: bytes) -> None:
    written.write(line + b"\n")
    written.say(summary(500))
    written.ingester().step()
    assert written.attempt.console_offset == written.directory.console.stat().st_size
    assert written.session.behaviors.get().step == 500


def test_lines_of_windows_are_understood(written: OnDisk) -> None:
    written.write(summary(500).encode() + b"\r\n")
    written.ingester().step()
    assert written.session.behaviors.get().step == 500


def test_an_endless_line_does_not_hold_the_rest_back(written: OnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "CONSOLE_BYTES", 1000)
    written.write(b"#" * 3500 + b"\n")
    written.say(summary(500))
    written.ingester().drain()
    assert written.attempt.console_offset == written.directory.console.stat().st_size
    assert written.session.behaviors.get().step == 500


def test_a_long_console_is_read_in_blocks_that_end_with_a_line(
    written: OnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "CONSOLE_BYTES", 300)
    written.say(*(summary(step, seconds=step) for step in range(10, 210, 10)))
    reader = written.ingester()
    assert reader.step()
    first = written.attempt.console_offset
    assert 0 < first <= 300
    assert written.directory.console.read_bytes()[first - 1 : first] == b"\n"
    reader.drain()
    assert written.attempt.console_offset == written.directory.console.stat().st_size
    assert written.session.behaviors.get().step == 200


def test_a_look_without_news_writes_nothing(written: OnDisk) -> None:
    written.say(summary(500))
    written.append_events(record_of(REWARD, 500, 1.0))
    reader = written.ingester()
    reader.drain()
    version = TrainingSession.objects.get(pk=written.session.pk).version
    reader.step()
    reader.drain()
    written.ingester().drain()
    assert TrainingSession.objects.get(pk=written.session.pk).version == version


def test_an_attempt_without_any_file_is_no_error(written: OnDisk) -> None:
    reader = written.ingester()
    reader.drain()
    assert not reader.step()
    assert written.attempt.console_offset == 0


@pytest.mark.parametrize("word", ["nan", "inf", "-inf"])
def test_a_reward_that_is_no_number_is_unknown(written: OnDisk, word: str) -> None:
    written.say(summary(500), summary(1000, reward=word))
    written.ingester().step()
    ball = written.session.behaviors.get()
    assert (ball.step, ball.mean_reward) == (1000, None)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_summary_without_an_episode_keeps_the_last_reward(written: OnDisk, at_once: bool) -> None:
    quiet = "[INFO] Ball. Step: 1000. Time Elapsed: 9.000 s. No episode was completed since last summary. Training."
    reader = written.ingester()
    for lines in [[summary(500), quiet]] if at_once else [[summary(500)], [quiet]]:
        written.say(*lines)
        reader.step()
    ball = written.session.behaviors.get()
    assert (ball.step, ball.mean_reward) == (1000, 1.5)


def test_an_exported_model_raises_the_step_and_asks_for_a_look_at_the_files(written: OnDisk) -> None:
    reader = written.ingester()
    written.say(summary(500))
    reader.step()
    assert not reader.saved
    written.say("[INFO] Exported results/ball/Ball/Ball-1234.onnx", "[INFO] Exported results/ball/Ball/Ball-900.onnx")
    reader.step()
    assert reader.saved
    assert written.session.behaviors.get().step == 1234


def test_a_saved_step_is_kept_when_its_summary_came_in_the_same_block(written: OnDisk) -> None:
    written.say(summary(1000), "[INFO] Exported results/ball/Ball/Ball-1034.onnx")
    written.ingester().step()
    assert written.session.behaviors.get().step == 1034


def test_an_interrupt_is_remembered(written: OnDisk) -> None:
    written.say(summary(500))
    reader = written.ingester()
    reader.step()
    assert not written.attempt.interrupted
    written.say(INTERRUPTED)
    reader.step()
    assert written.attempt.interrupted


def test_a_name_that_is_too_long_for_its_column_is_cut(written: OnDisk) -> None:
    behavior = "Bß" * 150
    written.say(summary(500, behavior=behavior), f"[INFO] Exported r/{behavior}/{behavior}-900.onnx")
    written.ingester().step()
    names = set(BehaviorProgress.objects.filter(seen=True).values_list("name", "step"))
    assert names == {(behavior[:255], 900)}


# States


def test_lines_lead_from_starting_over_waiting_to_running(written: OnDisk) -> None:
    reader = written.ingester()
    for lines, state in (
        (["[INFO] loading"], "starting"),
        ([LISTENING], "waiting_for_editor"),
        ([CONNECTED, NEW_BRAIN], "running"),
        ([summary(500)], "running"),
        ([LISTENING], "waiting_for_editor"),
        ([summary(1000)], "running"),
    ):
        written.say(*lines)
        reader.step()
        assert (written.attempt.state, TrainingSession.objects.get(pk=written.session.pk).state) == (state, state)
    assert states_of(written.session)[1:] == ["waiting_for_editor", "running", "waiting_for_editor", "running"]


def test_a_block_with_several_changes_ends_in_the_last_one(written: OnDisk) -> None:
    written.say(LISTENING, CONNECTED, NEW_BRAIN, summary(500))
    written.ingester().step()
    assert written.attempt.state == "running"


@pytest.mark.parametrize(("line", "state"), [(LISTENING, "waiting_for_editor"), (summary(500), "running")])
def test_a_trainer_that_speaks_before_it_was_seen_has_started(ada: User, line: str, state: str) -> None:
    written = OnDisk(make_session(owner=ada, state=State.LAUNCHING))
    written.say(line)
    written.ingester().step()
    assert written.attempt.state == state
    assert states_of(written.session)[1:] == ["starting", state]
    assert written.attempt.started_at is not None


@pytest.mark.parametrize("state", [State.STOPPING, State.STOPPED, State.COMPLETED])
def test_lines_do_not_take_back_a_stop_or_an_end(ada: User, state: State) -> None:
    written = OnDisk(make_session(owner=ada, state=state))
    written.say(LISTENING, summary(500))
    written.ingester().step()
    assert written.attempt.state == state.value
    assert written.session.behaviors.get().step == 500


# Pace


def test_the_pace_is_steps_per_second_of_the_trainer_s_own_clock(written: OnDisk) -> None:
    written.say(summary(500, seconds=10.0))
    reader = written.ingester()
    reader.step()
    assert TrainingSession.objects.get(pk=written.session.pk).steps_per_second is None
    written.say(summary(1000, seconds=12.0))
    reader.step()
    assert TrainingSession.objects.get(pk=written.session.pk).steps_per_second == 250.0


def test_the_paces_of_behaviors_add_up(written: OnDisk) -> None:
    for step, seconds in ((500, 10.0), (1000, 12.0)):
        written.say(summary(step, seconds=seconds), summary(step * 2, seconds=seconds, behavior="Goalie"))
    written.ingester().step()
    assert TrainingSession.objects.get(pk=written.session.pk).steps_per_second == 750.0


# Event files


def test_scalars_are_stored_with_the_position_behind_them(written: OnDisk) -> None:
    path = written.append_events(record_of(REWARD, 500, 1.25) + record_of("Losses/Value Loss", 500, 0.5))
    written.append_events(record_of(REWARD, 1000, 2.5))
    written.ingester().drain()
    series = Series.objects.get(attempt=written.pk, behavior="Ball", tag=REWARD)
    assert (series.count, series.last_step, series.last_value) == (2, 1000, 2.5)
    points = unpack(bytes(series.chunks.get().data))
    assert (points.steps, points.values, points.wall_times) == ([500, 1000], [1.25, 2.5], [1.7e9 + 500, 1.7e9 + 1000])
    file = EventFile.objects.get(attempt=written.pk)
    assert (file.path, file.offset, file.skipped) == (f"Ball/{path.name}", path.stat().st_size, 0)
    assert Series.objects.filter(attempt=written.pk).count() == 2


def test_a_long_event_file_is_read_in_blocks_to_its_end(written: OnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "EVENT_BYTES", 200)
    written.append_events(b"".join(record_of(REWARD, step, 0.0) for step in range(20)))
    reader = written.ingester()
    assert reader.step()
    assert 0 < len(steps_of(written)) < 20
    reader.drain()
    assert steps_of(written) == list(range(20))


def test_a_record_waits_until_it_is_whole(written: OnDisk) -> None:
    whole, late = record_of(REWARD, 500, 1.0), record_of(REWARD, 1000, 2.0)
    reader = written.ingester()
    written.append_events(whole)
    for position in range(0, len(late), 7):
        written.append_events(late[position : position + 7])
        last = position + 7 >= len(late)
        reader.drain()
        assert steps_of(written) == ([500, 1000] if last else [500])
        assert EventFile.objects.get().offset == len(whole) + (len(late) if last else 0)


def test_a_payload_that_is_no_event_is_counted_and_passed_over(
    written: OnDisk, caplog: pytest.LogCaptureFixture
) -> None:
    written.append_events(record_of(REWARD, 500, 1.0) + framed(b"\xff" * 20) + record_of(REWARD, 1000, 2.0))
    written.ingester().drain()
    assert steps_of(written) == [500, 1000]
    assert EventFile.objects.get().skipped == 1
    assert "1 damaged" in caplog.text


def test_behind_a_damaged_length_the_next_whole_record_is_read(written: OnDisk) -> None:
    good, damaged = record_of(REWARD, 500, 1.0), bytearray(record_of(REWARD, 1000, 2.0))
    damaged[0] ^= 1
    path = written.append_events(good + bytes(damaged) + record_of(REWARD, 1500, 3.0))
    written.ingester().drain()
    assert steps_of(written) == [500, 1500]
    file = EventFile.objects.get()
    assert (file.offset, file.skipped) == (path.stat().st_size, 1)


def test_a_value_that_is_no_number_is_kept_among_the_points_and_unknown_as_the_last(written: OnDisk) -> None:
    written.append_events(record_of(REWARD, 500, 1.0) + record_of(REWARD, 1000, math.nan))
    written.ingester().drain()
    series = Series.objects.get()
    assert (series.count, series.last_step, series.last_value) == (2, 1000, None)
    values = unpack(bytes(series.chunks.get().data)).values
    assert values[0] == 1.0
    assert math.isnan(values[1])


def test_points_fill_one_chunk_after_the_other(written: OnDisk) -> None:
    reader = written.ingester()
    for start, end in ((0, 249), (249, 251), (251, 760)):
        written.append_events(b"".join(record_of(REWARD, step, 0.0) for step in range(start, end)))
        reader.drain()
    chunks = SeriesChunk.objects.filter(series__attempt=written.pk).order_by("first")
    assert [(chunk.first, chunk.count) for chunk in chunks] == [(0, 250), (250, 250), (500, 250), (750, 10)]
    assert steps_of(written) == list(range(760))
    assert Series.objects.get().count == 760


def test_every_behavior_has_its_own_series_and_run_logs_is_none(written: OnDisk) -> None:
    for behavior in ("Ball", "Goalie", "run_logs"):
        written.append_events(record_of(REWARD, 500, 1.0), behavior=behavior)
    written.ingester().drain()
    assert set(Series.objects.values_list("behavior", flat=True)) == {"Ball", "Goalie"}


def test_event_files_are_read_in_the_order_they_were_begun(written: OnDisk) -> None:
    written.append_events(record_of(REWARD, 1000, 1.0), begun=1700000100)
    written.append_events(record_of(REWARD, 500, 1.0), begun=1700000000)
    written.ingester().drain()
    assert steps_of(written) == [500, 1000]


@pytest.mark.parametrize("tag", ["T" * 300, "a\0b"])
def test_a_tag_that_no_column_could_hold_is_made_to_fit(written: OnDisk, tag: str) -> None:
    written.append_events(record_of(tag, 500, 1.0) + record_of(tag, 1000, 2.0))
    written.ingester().drain()
    series = Series.objects.get()
    assert (series.tag, series.count) == (tag.replace("\0", "")[:255], 2)


# Two readers, two attempts


def test_a_reader_whose_position_has_moved_stores_nothing(written: OnDisk) -> None:
    slow, fast = written.ingester(), written.ingester()
    written.say(LISTENING, summary(500), summary(1000, seconds=3.0))
    fast.step()
    before = TrainingSession.objects.get(pk=written.session.pk).version
    with pytest.raises(Overtaken):
        slow.step()
    assert TrainingSession.objects.get(pk=written.session.pk).version == before
    assert states_of(written.session)[1:] == ["running"]


def test_a_second_reader_of_an_event_file_stores_nothing_twice(written: OnDisk) -> None:
    written.append_events(record_of(REWARD, 500, 1.0))
    slow, fast = written.ingester(), written.ingester()
    slow.drain()
    fast.drain()
    written.append_events(record_of(REWARD, 1000, 2.0))
    fast.drain()
    with pytest.raises(Overtaken):
        slow.drain()
    assert steps_of(written) == [500, 1000]
    assert Series.objects.get().count == 2


def test_a_change_that_fails_leaves_the_position_where_it_was(written: OnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("between rows and position")

    written.say(summary(500))
    written.append_events(record_of(REWARD, 500, 1.0))
    with monkeypatch.context() as broken:
        broken.setattr(ingest, "store_summary", fail)
        with pytest.raises(RuntimeError):
            written.ingester().step()
    assert written.attempt.console_offset == 0
    with monkeypatch.context() as broken:
        broken.setattr("sessions.services.points.append_columns", fail)
        with pytest.raises(RuntimeError):
            written.ingester().step()
    assert EventFile.objects.get().offset == 0
    written.ingester().drain()
    assert steps_of(written) == [500]


def further_attempt(written: OnDisk, by: User, **wish: bool) -> OnDisk:
    """Start the session of `written` again and put it into starting."""
    TrainingSession.objects.filter(pk=written.session.pk).update(state="stopped")
    Attempt.objects.filter(pk=written.pk).update(state="stopped")
    starting.start_session(make_request(run_id=written.session.run_id, **wish), by=by)
    following = OnDisk(TrainingSession.objects.get(pk=written.session.pk))
    Attempt.objects.filter(pk=following.pk).update(state="starting")
    return following


def test_a_resumed_attempt_leaves_the_event_files_of_the_earlier_one(written: OnDisk, ada: User) -> None:
    written.append_events(record_of(REWARD, 500, 1.0))
    written.save("Ball/checkpoint.pt")
    written.ingester().drain()
    resumed = further_attempt(written, ada, resume=True)
    resumed.append_events(record_of(REWARD, 1000, 2.0), begun=1700000500)
    resumed.ingester().drain()
    assert (steps_of(written), steps_of(resumed)) == ([500], [1000])
    assert EventFile.objects.filter(attempt=resumed.pk).count() == 1
    assert resumed.attempt.console_offset == 0


def test_a_forced_attempt_reads_files_whatever_their_names_were_before(written: OnDisk, ada: User) -> None:
    written.append_events(record_of(REWARD, 500, 1.0)).unlink()
    written.append_events(record_of(REWARD, 600, 1.0))
    written.ingester().drain()
    forced = further_attempt(written, ada, force=True)
    forced.ingester().drain()
    assert steps_of(forced) == [600]
