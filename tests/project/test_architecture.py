"""What must stay true of the project as a whole."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from mentor_site.options import BASE_DIR, OPTIONS
from sessions.domain.rules import RULES
from sessions.domain.states import TRANSITIONS, State

ROOMS = ("mentor_site", "sessions", "analysis", "reports")


def python_files() -> list[Path]:
    return [path for room in ROOMS for path in (BASE_DIR / room).rglob("*.py") if "migrations" not in path.parts]


def test_the_app_sessions_has_the_label_training_and_django_keeps_its_own() -> None:
    assert apps.get_app_config("training").name == "sessions"
    assert apps.get_app_config("sessions").name == "django.contrib.sessions"


@pytest.mark.parametrize("package", ["sessions", "sessions/runtime"])
def test_what_the_shim_imports_on_its_way_is_empty(package: str) -> None:
    assert (BASE_DIR / package / "__init__.py").read_text(encoding="utf-8") == ""


def test_files_stay_short_enough_to_be_read() -> None:
    long = {path.relative_to(BASE_DIR).as_posix(): count for path in python_files() if (count := lines(path)) > 450}
    assert not long


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_every_task_that_is_enqueued_by_name_exists() -> None:
    from sessions.services.checkpoints import LOOK_TASK
    from sessions.services.keeping import KEEP_TASK
    from sessions.services.launching import LAUNCH_TASK

    for name in [LAUNCH_TASK, KEEP_TASK, LOOK_TASK, *settings.MENTOR_AFTER_SESSION]:
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))


def test_every_option_is_documented_with_its_help() -> None:
    page = (BASE_DIR / "docs" / "options.md").read_text(encoding="utf-8")
    for option in OPTIONS:
        assert f"`{option.name}`" in page
        assert option.help in page


def test_every_rule_is_documented() -> None:
    page = (BASE_DIR / "docs" / "operating.md").read_text(encoding="utf-8")
    assert not [name for name in RULES if f"`{name}`" not in page]


def test_the_page_of_states_says_what_the_table_says() -> None:
    page = (BASE_DIR / "docs" / "states.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\w+) \| [^|]+ \| ([\w, ]+) \|$", page, re.MULTILINE))
    assert set(rows) - {"state"} == {state.value for state in State}
    for state, targets in TRANSITIONS.items():
        assert set(rows[state.value].split(", ")) == {target.value for target in targets}


def test_no_key_and_no_lock_file_is_in_the_repository() -> None:
    ignored = (BASE_DIR / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/var/", "/uv.lock"} <= set(ignored)


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [BASE_DIR / "README.md", *(BASE_DIR / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken


def test_every_fault_names_tests_that_exist() -> None:
    page = (BASE_DIR / "docs" / "faults.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)
    assert len(named) > 60
    texts = {file: (BASE_DIR / file).read_text(encoding="utf-8") for file, _ in named}
    assert [f"{file}::{test}" for file, test in named if test and f"def {test}(" not in texts[file]] == []
    told = {int(number) for number in re.findall(r"F(\d+)", page)}
    assert set(range(1, 52)) | set(range(60, 68)) <= told
