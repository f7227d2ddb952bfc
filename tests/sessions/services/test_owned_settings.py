"""What a configuration says about the run itself: every setting of it is told, and none is obeyed unseen."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sessions.domain.configuration.schema import Key, Kind
from sessions.domain.configuration.table import RUN_SECTIONS, SECTIONS
from sessions.errors import InvalidStart
from sessions.models import Trainer
from sessions.services import planning, repeating, starting
from tests.factories import CONFIG, make_mlagents_trainer, make_practice_trainer, make_request

pytestmark = pytest.mark.usefixtures("home")
OTHERWISE = {
    Kind.WHOLE: "7", Kind.NUMBER: "7.5", Kind.TRUTH: "true", Kind.TEXT: "cpu", Kind.TEXTS: "[--level]",
}  # fmt: skip
# A path or a run that there is not would be refused, which is told too.
REFUSED = {"env_path", "initialize_from"}
SETTINGS = [(name, key) for name in RUN_SECTIONS for key in SECTIONS[name].keys if key.name not in REFUSED]
RUN = b"""\
env_settings: {seed: 7, num_envs: 1, timeout_wait: 90, base_port: 6000}
engine_settings: {no_graphics: true, time_scale: 5, quality_level: 2}
torch_settings: {device: cpu}
checkpoint_settings: {run_id: other, results_dir: /tmp, resume: true, force: true, inference: true, load_model: true}
"""


@pytest.fixture(autouse=True)
def trainers(db: None) -> None:
    make_practice_trainer()


@pytest.mark.parametrize(("section", "key"), SETTINGS, ids=[key.name for _, key in SETTINGS])
def test_every_setting_of_the_run_is_told_and_left_out_of_what_the_trainer_reads(
    ada: User, section: str, key: Key
) -> None:
    value = "6000" if key.name == "base_port" else "2" if key.name == "num_envs" else OTHERWISE[key.kind]
    config = CONFIG + f"{section}: {{{key.name}: {value}}}\n".encode()
    asked = make_request(config=config)
    if key.name == "num_envs":
        with pytest.raises(InvalidStart):
            planning.plan_start(asked, by=ada)
        return
    plan = planning.plan_start(asked, by=ada)
    assert any(key.name in sentence for sentence in plan.told)
    assert set(plan.told) <= set(plan.notices)
    assert section.encode() not in plan.config.used


def test_a_start_says_what_it_took_over_and_where_it_was_asked_otherwise(ada: User) -> None:
    plan = planning.plan_start(make_request(config=CONFIG + RUN, seed=1, run_id="ball-7"), by=ada)
    told = " ".join(plan.told)
    assert "into the session: timeout_wait 90, no_graphics true, time_scale 5.0, quality_level 2, device cpu." in told
    assert "What was asked for counts, not the configuration: seed 1, not 7." in told
    assert {"--seed=1", "--run-id=ball-7", "--time-scale=5.0", "--torch-device=cpu"} <= set(plan.command)
    assert not {"--resume", "--force", "--inference", "--results-dir=/tmp"} & set(plan.command)


def test_nothing_is_told_behind_many_findings(ada: User) -> None:
    many = b"".join(b"  A%d: {network_settings: {hiddn: 1}}\n" % number for number in range(60))
    plan = planning.plan_start(make_request(config=b"behaviors:\n" + many + RUN), by=ada)
    assert sum("is a field of the session" in sentence for sentence in plan.notices) == 7
    assert len(plan.notices) < 40


def test_what_was_taken_over_stays_with_a_clone(ada: User) -> None:
    session = starting.start_session(make_request(config=CONFIG + RUN), by=ada)
    again = repeating.clone(session, by=ada)
    assert again.options == session.options
    assert {"seed": 7, "device": "cpu", "no_graphics": True}.items() <= again.options.items()


def test_the_form_is_filled_in_with_it(ada: User, client: Client) -> None:
    client.force_login(ada)
    asked = {"config_text": (CONFIG + RUN).decode(), "run_id": "ball", "mode": "editor", "trainer": "practice"}
    seen = json.loads(client.post(reverse("sessions:preview"), asked).content)
    assert {"seed": "7", "time_scale": "5.0", "no_graphics": True, "resume": True}.items() <= seen["fields"].items()
    assert any("run_id is a field of the session" in told for told in seen["notices"])


def test_an_older_trainer_is_said_not_to_know_a_setting(ada: User) -> None:
    Trainer.objects.filter(pk=make_mlagents_trainer().pk).update(version="0.28.0")
    config = CONFIG + b"    even_checkpoints: true\n"
    plan = planning.plan_start(make_request(config=config, trainer="mlagents"), by=ada)
    assert any("even_checkpoints is known since ML-Agents 1.0; 0.28.0 refuses it." in told for told in plan.notices)
