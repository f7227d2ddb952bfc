"""Histograms and texts by the API: which there are, those of one tag, and for nobody who may not see the session."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.factories import make_one_of_everything

pytestmark = pytest.mark.usefixtures("home")
TAG = "Environment/Cumulative Reward_hist"


@pytest.fixture
def api(client: Client, ada: User) -> Client:
    make_one_of_everything(ada)
    client.force_login(ada)
    return client


def test_the_series_of_histograms_are_listed_and_those_of_a_tag_are_given(api: Client) -> None:
    (listed,) = api.get("/api/sessions/ball/histograms/").json()["series"]
    assert listed == {"behavior": "Ball", "tag": TAG, "attempt": 1, "count": 1, "last_step": 1}
    (found,) = api.get("/api/sessions/ball/histograms/", {"tag": TAG}).json()["series"]
    assert (found["steps"], found["buckets"]) == ([1], [[[0.0, 1.0, 2.0]]])
    assert api.get("/api/sessions/ball/histograms/", {"behavior": "Other"}).json() == {"series": []}


def test_texts_are_given_by_behavior_and_tag(api: Client) -> None:
    (found,) = api.get("/api/sessions/ball/texts/", {"behavior": "Ball"}).json()["results"]
    assert (found["tag"], found["text"]) == ("Hyperparameters/text_summary", "batch_size: 64")
    assert api.get("/api/sessions/ball/texts/", {"tag": "other"}).json() == {"results": []}


@pytest.mark.parametrize("kind", ["histograms", "texts"])
def test_a_session_that_is_not_there_has_none(api: Client, kind: str) -> None:
    assert api.get(f"/api/sessions/nothing/{kind}/").status_code == 404
