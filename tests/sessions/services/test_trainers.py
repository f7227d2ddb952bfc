"""Trainers: found without being asked for, registered by who may, chosen for a start."""

from __future__ import annotations

import os
import sys
import venv
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import Settings

from sessions.errors import InvalidInput, NotAllowed
from sessions.models import Trainer
from sessions.services import trainers
from sessions.trainers import installations
from sessions.trainers.installations import Probe
from tests.factories import make_mlagents_trainer, make_practice_trainer

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a real environment that claims to have mlagents."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    metadata = next(folder.rglob("site-packages")) / "mlagents-1.1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: mlagents\nVersion: 1.1.0\n", encoding="utf-8")
    return next(path for path in (folder / "bin" / "python", folder / "Scripts" / "python.exe") if path.exists())


@pytest.fixture
def nothing_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installations, "find_learn", lambda option: None)


def learn_of(python: Path) -> Path:
    """An mlagents-learn as it stands beside its interpreter."""
    learn = python.parent / ("mlagents-learn.exe" if sys.platform == "win32" else "mlagents-learn")
    learn.write_text(f"#!{python}\n", encoding="utf-8")
    learn.chmod(0o755)
    return learn


def option(settings: Settings, learn: Path | None) -> None:
    settings.MENTOR = {**settings.MENTOR, "MENTOR_MLAGENTS_LEARN": learn}


@pytest.mark.usefixtures("nothing_found")
def test_the_practice_trainer_is_always_there() -> None:
    for _ in range(2):
        (found,) = trainers.discover()
    assert (found.name, found.kind, found.origin, found.problem) == ("practice", "practice", "bundled", "")
    assert found.interpreter == sys.executable
    assert found.probed_at is not None


def test_the_option_names_the_installation(settings: Settings, python: Path) -> None:
    option(settings, learn_of(python))
    found = {one.name: one for one in trainers.discover()}["mlagents"]
    assert (found.interpreter, found.origin, found.version, found.problem) == (str(python), "option", "1.1.0", "")


def test_discovery_brings_what_is_stored_up_to_date(settings: Settings, python: Path, tmp_path: Path) -> None:
    stale = make_mlagents_trainer()
    option(settings, learn_of(python))
    trainers.discover()
    stale.refresh_from_db()
    assert (stale.interpreter, stale.version) == (str(python), "1.1.0")
    unclear = tmp_path / "mlagents-learn"
    unclear.write_text("no first line", encoding="utf-8")
    option(settings, unclear)
    trainers.discover()
    stale.refresh_from_db()
    assert stale.problem == f"MENTOR cannot tell which Python runs {unclear}."
    assert Trainer.objects.filter(kind="mlagents").count() == 1


@pytest.mark.usefixtures("nothing_found")
def test_an_installation_that_is_gone_is_kept_with_its_problem() -> None:
    gone = make_mlagents_trainer()
    trainers.discover()
    gone.refresh_from_db()
    assert gone.problem == "mlagents-learn is no longer found on this machine."


def test_an_installation_that_was_registered_keeps_its_name_when_it_is_found_too(
    ada: User, settings: Settings, python: Path
) -> None:
    trainers.register(str(python), name="mine", by=ada)
    option(settings, learn_of(python))
    trainers.discover()
    found = Trainer.objects.get(kind="mlagents")
    assert (found.name, found.origin) == ("mine", "registered")


@pytest.mark.parametrize("given", ["interpreter", "mlagents-learn"])
def test_an_interpreter_is_registered_by_its_path_or_its_mlagents_learn(ada: User, python: Path, given: str) -> None:
    path = python if given == "interpreter" else learn_of(python)
    trainer = trainers.register(f" {path} ", name=" mine ", by=ada)
    assert (trainer.name, trainer.kind, trainer.origin) == ("mine", "mlagents", "registered")
    assert (trainer.interpreter, trainer.version) == (str(python), "1.1.0")


@pytest.mark.parametrize("given", ["interpreter", "mlagents-learn"])
def test_registering_the_same_again_probes_it_again(ada: User, python: Path, given: str) -> None:
    path = python if given == "interpreter" else learn_of(python)
    first = trainers.register(str(path), name="mine", by=ada)
    Trainer.objects.update(version="0.9", problem="old")
    again = trainers.register(str(path), name="mine", by=ada)
    assert (again.pk, again.version, again.problem) == (first.pk, "1.1.0", "")


def test_an_environment_of_links_is_kept_as_it_was_given(ada: User, python: Path) -> None:
    trainer = trainers.register(str(python), name="mine", by=ada)
    assert trainer.interpreter != os.path.realpath(sys.executable)
    assert trainer.interpreter == str(python)


def test_registering_needs_its_permission_and_starts_nothing_without_it(
    cyd: User, python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(installations, "probe", asked.append)
    with pytest.raises(NotAllowed):
        trainers.register(str(python), name="mine", by=cyd)
    assert asked == []
    assert not Trainer.objects.exists()


@pytest.mark.parametrize("path", ["", "relative/python", "/nowhere/python", "python"])
def test_what_is_no_program_on_this_machine_is_refused_at_its_field(ada: User, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        trainers.register(path, name="mine", by=ada)
    assert list(caught.value.errors) == ["interpreter"]
    assert not Trainer.objects.exists()


def test_an_interpreter_without_mlagents_is_refused(ada: User, python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installations, "probe", lambda path: Probe("3.11.0", problem="The package is not installed."))
    with pytest.raises(InvalidInput) as caught:
        trainers.register(str(python), name="mine", by=ada)
    assert caught.value.errors == {"interpreter": ["The package is not installed."]}


@pytest.mark.parametrize("name", ["", "  ", "mlagents", "practice", "hers"])
def test_a_trainer_needs_a_name_of_its_own(ada: User, python: Path, name: str) -> None:
    Trainer.objects.create(name="hers", kind="mlagents", interpreter="/other/python", origin="registered")
    with pytest.raises(InvalidInput) as caught:
        trainers.register(str(python), name=name, by=ada)
    assert list(caught.value.errors) == ["name"]
    assert Trainer.objects.count() == 1


def test_a_trainer_is_chosen_by_name_or_number() -> None:
    practice, mlagents = make_practice_trainer(), make_mlagents_trainer()
    assert trainers.choose("practice") == trainers.choose(practice.pk) == trainers.choose(str(practice.pk)) == practice
    assert trainers.choose("mlagents") == mlagents
    for nobody in ("nobody", 999, "999", "²", "9" * 5000):
        assert trainers.choose(nobody) is None


def test_a_name_of_digits_goes_before_a_number() -> None:
    make_practice_trainer()
    key = str(make_mlagents_trainer().pk)
    named = Trainer.objects.create(name=key, kind="mlagents", interpreter="/other/python", origin="registered")
    assert trainers.choose(key) == named


@pytest.mark.parametrize("nothing", [None, ""])
def test_without_a_wish_the_best_usable_trainer_is_chosen(nothing: str | None) -> None:
    assert trainers.choose(nothing) is None
    practice = make_practice_trainer()
    assert trainers.choose(nothing) == practice
    mine = Trainer.objects.create(name="mine", kind="mlagents", interpreter="/mine/python", origin="registered")
    assert trainers.choose(nothing) == mine
    found = make_mlagents_trainer()
    assert trainers.choose(nothing) == found
    Trainer.objects.filter(pk=found.pk).update(problem="It is gone.")
    assert trainers.choose(nothing) == mine
    Trainer.objects.filter(pk=mine.pk).update(problem="It is gone.")
    assert trainers.choose(nothing) == practice


def test_the_database_holds_one_trainer_per_interpreter() -> None:
    constraints = {one.name for one in Trainer._meta.constraints}
    assert "one_trainer_per_interpreter" in constraints
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Trainer._meta.db_table)
    assert found["one_trainer_per_interpreter"]["unique"]
