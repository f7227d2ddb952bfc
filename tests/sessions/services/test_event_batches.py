"""What event files say beside scalars, and restarts: stored in one go, bounded, and taken back when a run restarts."""

from __future__ import annotations

from array import array

import pytest
from django.contrib.auth.models import User
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.util import tensor_util

from sessions.domain.states import State
from sessions.metrics.codec import unpack
from sessions.metrics.collecting import Histogram as WrittenHistogram
from sessions.metrics.collecting import Text as WrittenText
from sessions.metrics.events import read_events
from sessions.metrics.runs import read_run
from sessions.models import EventFile, Histogram, Series, Text
from sessions.selectors.distributions import distributions_of, histograms_of, texts_of
from sessions.services import distributions, event_batches
from sessions.services.event_batches import store_batch
from tests.factories import make_session
from tests.sessions.attempts import OnDisk, framed, record_of

pytestmark = pytest.mark.usefixtures("home")
REWARD = "Environment/Cumulative Reward"


@pytest.fixture
def written(ada: User, home: object) -> OnDisk:
    return OnDisk(make_session(owner=ada, state=State.RUNNING))


def version(number: int = 2) -> bytes:
    return framed(Event(wall_time=1e9, file_version=f"brain.Event:{number}").SerializeToString())


def start(step: int) -> bytes:
    return framed(Event(step=step, session_log=SessionLog(status=SessionLog.START)).SerializeToString())


def histogram(step: int, *buckets: float, tag: str = REWARD + "_hist") -> WrittenHistogram:
    return WrittenHistogram(tag, step, 1e9 + step, array("d", buckets or (0.0, 1.0, 2.0)))


def steps_of(written: OnDisk, tag: str = REWARD) -> list[int]:
    chunks = Series.objects.get(attempt=written.pk, tag=tag).chunks.all()
    return [int(step) for chunk in chunks for step in unpack(bytes(chunk.data)).steps]


def test_points_that_a_restart_takes_back_are_forgotten_and_their_series_is_another(written: OnDisk) -> None:
    written.append_events(version() + b"".join(record_of(REWARD, step, 1.0) for step in (1, 2, 3)))
    written.append_events(record_of("Losses/Policy Loss", 1, 1.0))
    reader = written.ingester()
    reader.drain()
    before = dict(Series.objects.values_list("tag", "pk"))
    written.append_events(version() + start(2) + record_of(REWARD, 2, 5.0), begun=1700000001)
    reader.drain()
    assert steps_of(written) == [1, 2]
    after = dict(Series.objects.values_list("tag", "pk"))
    assert after[REWARD] != before[REWARD]
    assert after["Losses/Policy Loss"] == before["Losses/Policy Loss"]


def test_a_reader_that_begins_anew_knows_what_the_one_before_it_had_read(written: OnDisk) -> None:
    for step in (5, 6, 3, 4):  # without a version: a smaller step is a restart
        written.append_events(record_of(REWARD, step, 1.0))
        written.ingester().drain()
    written.append_events(record_of(REWARD, 2, 1.0), begun=1700000001)
    written.ingester().drain()
    assert steps_of(written) == list(read_run(written.results / "Ball").points[REWARD].steps) == [2]


def test_a_batch_is_stored_once_whoever_reads_it(written: OnDisk) -> None:
    path = written.append_events(version() + record_of(REWARD, 1, 1.0))
    file = EventFile.objects.create(attempt_id=written.pk, path="Ball/events", behavior="Ball")
    same = EventFile.objects.get(pk=file.pk)
    batch = read_events(path, 0)
    assert store_batch(file, batch, session_id=written.session.pk)
    assert not store_batch(same, batch, session_id=written.session.pk)
    assert steps_of(written) == [1]


def test_series_beyond_what_an_attempt_may_have_are_left_out(written: OnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_batches, "MOST_SERIES", 2)
    for tag in ("a", "b", "c"):
        written.append_events(record_of(tag, 1, 1.0))
    written.ingester().drain()
    written.append_events(record_of("a", 2, 1.0) + record_of("d", 2, 1.0))
    written.ingester().drain()
    assert dict(Series.objects.values_list("tag", "count")) == {"a": 2, "b": 1}


def test_histograms_and_texts_are_kept_as_they_are_read(written: OnDisk) -> None:
    made = Event(wall_time=5.0, step=3)
    histo = made.summary.value.add(tag=REWARD + "_hist").histo
    histo.min, histo.max = -1.0, 2.0
    histo.bucket_limit.extend([0.0, 1.0, 3.0])
    histo.bucket.extend([4.0, 0.0, 1.0])
    value = made.summary.value.add(tag="Hyperparameters/text_summary")
    value.tensor.CopyFrom(tensor_util.make_tensor_proto(["batch_size:\t64\0"]))
    value.metadata.plugin_data.plugin_name = "text"
    written.append_events(version() + framed(made.SerializeToString()))
    written.ingester().drain()
    (found,) = histograms_of(written.session, tag=REWARD + "_hist")
    assert (found.steps, found.wall_times) == ([3], [5.0])
    assert found.buckets == [[[-1.0, 0.0, 4.0], [0.0, 1.0, 0.0], [1.0, 2.0, 1.0]]]
    (text,) = texts_of(written.session)
    assert (text.behavior, text.step, text.text) == ("Ball", 3, "batch_size:\t64")


@pytest.mark.parametrize("pieces", [1, 7, 100, 1000])
def test_of_many_histograms_some_are_kept_spread_evenly_with_the_first_and_the_last(
    written: OnDisk, pieces: int
) -> None:
    for first in range(0, 1000, pieces):
        some = [histogram(step) for step in range(first, min(1000, first + pieces))]
        distributions.keep_histograms(written.pk, "Ball", some)
    (found,) = histograms_of(written.session, behavior="Ball")
    assert len(found.steps) <= distributions.MOST_HISTOGRAMS + 1
    assert (found.steps[0], found.steps[-1]) == (0, 999)
    assert {later - earlier for earlier, later in zip(found.steps, found.steps[1:-1], strict=False)} == {8}
    assert distributions_of(written.session)[0].count == len(found.steps)


def test_a_histogram_with_thousands_of_buckets_is_made_coarser(written: OnDisk) -> None:
    fine = [number for left in range(5000) for number in (left, left + 1, 1)]
    distributions.keep_histograms(written.pk, "Ball", [histogram(1, *fine)])
    (buckets,) = histograms_of(written.session)[0].buckets
    assert len(buckets) <= distributions.MOST_BUCKETS
    assert (buckets[0][0], buckets[-1][1], sum(count or 0 for _, _, count in buckets)) == (0, 5000, 5000)


def test_there_is_an_end_to_how_many_series_of_histograms_are_kept(written: OnDisk) -> None:
    many = [histogram(1, tag=str(number)) for number in range(distributions.MOST_SERIES + 5)]
    distributions.keep_histograms(written.pk, "Ball", many)
    assert Histogram.objects.count() == distributions.MOST_SERIES


def test_what_a_restart_takes_back_of_histograms_and_texts_is_gone(written: OnDisk) -> None:
    distributions.keep_histograms(written.pk, "Ball", [histogram(step) for step in (1, 2, 3)])
    distributions.keep_texts(written.pk, "Ball", [WrittenText("t", step, 1e9, "") for step in (1, 2, 3)])
    event_batches.cut(written.pk, "Ball", {None: 3, "t": 2})
    assert list(Histogram.objects.values_list("step", flat=True)) == [1, 2]
    assert list(Text.objects.values_list("step", flat=True)) == [1]
