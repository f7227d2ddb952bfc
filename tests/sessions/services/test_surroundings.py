"""A trainer sees what it needs of the machine, and nothing of MENTOR's."""

from __future__ import annotations

import pytest

from sessions.services.surroundings import surroundings


def seen(environ: dict[str, str], *extra: str) -> dict[str, str]:
    return surroundings(environ, extra=extra, variables={}, cookie="c" * 32)


@pytest.mark.parametrize("name", ["PATH", "HOME", "LC_CTYPE", "CUDA_VISIBLE_DEVICES", "DISPLAY", "SystemRoot"])
def test_what_programs_need_is_passed_on(name: str) -> None:
    assert seen({name: "x"})[name] == "x"


@pytest.mark.parametrize(
    "name",
    [
        "MENTOR_DATABASE_URL",
        "DJANGO_SETTINGS_MODULE",
        "SECRET_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "MY_OWN",
        "XDG_API_TOKEN",
    ],
)
def test_secrets_and_what_nobody_asked_for_stay_here(name: str) -> None:
    assert name not in seen({name: "x"})


def test_users_can_let_more_through_but_no_secrets() -> None:
    assert seen({"MY_OWN": "x", "MY_TOKEN": "y"}, "MY_*") == {**seen({}), "MY_OWN": "x"}


def test_output_is_unbuffered_utf8_and_marked_with_the_cookie() -> None:
    given = seen({"PYTHONUTF8": "0"})
    assert (given["PYTHONUNBUFFERED"], given["PYTHONUTF8"]) == ("1", "1")
    assert given["MENTOR_ATTEMPT"] == "c" * 32


def test_the_variables_of_a_kind_win() -> None:
    given = surroundings({"PYTHONPATH": "/mine"}, extra=(), variables={"PYTHONPATH": "/theirs"}, cookie="c")
    assert given["PYTHONPATH"] == "/theirs"
