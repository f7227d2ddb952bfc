"""What of this installation is nobody else's business, and what of its settings may be shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error

from mentor_site.doctor.facts.storage import there_is_a_database
from mentor_site.doctor.redaction import GONE, SECRET_NAME, Redaction
from mentor_site.options import OPTIONS, Option, natural_int, path, paths, port, positive_int, truth
from mentor_site.preparation import LOOPBACK

# Variables that are shown with their values; of no other more than that it is set, and of most not even that.
HARMLESS = (
    "LANG", "LC_ALL", "LC_CTYPE", "TZ", "OS", "PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS", "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "GRPC_VERBOSITY", "PYTHONUTF8",
    "PYTHONUNBUFFERED", "DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE",
)  # fmt: skip
# Values of these say nothing about a person, or are paths, in which names are removed anyway.
PLAIN_VARIABLES = re.compile(
    r"PATH|PATHEXT|SHELL|TERM.*|COLORTERM|PWD|OLDPWD|HOME|SHLVL|_|LS_COLORS|EDITOR|PAGER|TMP|TEMP|TMPDIR|LESS.*|"
    r"PYTEST_.*|XDG_.*|SYSTEMROOT|WINDIR|COMSPEC|PROGRAM.*|COMMONPROGRAM.*|PROCESSOR_.*|.*_VERSION"
)
SHORTEST_VALUE, SHORTEST_NAME = 8, 4
COMMON_NAMES = {*LOOPBACK, "0.0.0.0", "mentor", "admin", "root", "user", "test", "unity"}  # noqa: S104
PLAIN_VALUE = re.compile(r"\d{1,12}(?:\.\d+)?|true|false|yes|no|[A-Za-z]{1,12}", re.I)
# Words that name no person and open no door.
SHOWN_WORDS = ("MENTOR_PLUGIN_TRAINERS", "MENTOR_PASS_ENVIRONMENT", "MENTOR_ALLOWED_HOSTS")
NUMBERS = (truth, positive_int, natural_int, port)


def redaction(
    variables: Iterable[Mapping[str, str]] = (),
    arguments: Iterable[str] = (),
    rules: Mapping[str, Any] | None = None,
) -> Redaction:
    """Return what removes this installation's secrets and names.

    `variables` are further environments; of `arguments`, words of command lines, and `rules` those values are secrets
    whose names say so.
    """
    found = {str(settings.SECRET_KEY), *_of_settings(), *_of_arguments(list(arguments))}
    found |= set(_of_value(rules, is_secret=False))
    for environment in (os.environ, *variables):
        found |= set(_of_environment(environment))
    names = set(_names())
    for username, email in _users():
        names.add(username)
        found.add(email)
    return Redaction(frozenset(found), homes=tuple(_homes()), names=frozenset(filter(_is_a_name, names)))


def _users() -> list[tuple[str, str]]:
    """A bundle is wanted most while the database is in trouble."""
    if there_is_a_database():
        with suppress(Error):
            return list(User.objects.values_list("username", "email"))
    return []


def _of_settings() -> Iterator[str]:
    for option in OPTIONS:
        if option.read not in (*NUMBERS, path, paths) and option.name not in SHOWN_WORDS:
            yield from _of_value(settings.MENTOR.get(option.name), is_secret=True)
    for database in settings.DATABASES.values():
        yield str(database.get("PASSWORD") or "")


def _of_value(value: Any, *, is_secret: bool) -> Iterator[str]:
    """The texts of a value that are secret: of a mapping those whose names say so."""
    if isinstance(value, str):
        if is_secret and value not in {*LOOPBACK, "0.0.0.0"}:  # noqa: S104
            yield value
            yield from _of_url(value)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _of_value(one, is_secret=SECRET_NAME.search(str(key)) is not None)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _of_value(one, is_secret=is_secret)


def _is_plain_host(option: Option, value: str) -> bool:
    return option.name == "MENTOR_HOST" and value in {*LOOPBACK, "0.0.0.0"}  # noqa: S104


def _of_url(text: str) -> Iterator[str]:
    """The parts of an address that let somebody in."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return
    if parts.scheme:
        yield from (parts.password or "", parts.query, parts.path.strip("/") if parts.scheme.startswith("http") else "")


def _of_environment(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if SECRET_NAME.search(name):
            yield value
            yield from _of_url(value)
        elif not (name.upper() in HARMLESS or PLAIN_VARIABLES.fullmatch(name.upper()) or name in _options()):
            yield from _unless_plain(value)
            yield from _of_url(value)


def _options() -> set[str]:
    return {option.name for option in OPTIONS}


def _unless_plain(value: str) -> Iterator[str]:
    first = value.split(os.pathsep)[0]
    if len(value) >= SHORTEST_VALUE and not PLAIN_VALUE.fullmatch(value) and not os.path.exists(first):  # noqa: PTH110
        yield value


def _of_arguments(arguments: list[str]) -> Iterator[str]:
    """What stands behind an option whose name speaks of a secret, as one word or two."""
    for one, following in pairwise([*arguments, ""]):
        name, equals, value = one.partition("=")
        if name.startswith("-") and SECRET_NAME.search(name):
            yield value if equals else "" if following.startswith("-") else following


def _homes() -> Iterator[str]:
    found = [os.environ.get(name, "") for name in ("HOME", "USERPROFILE")]
    with suppress(RuntimeError):  # a service may have no home
        found.append(str(Path.home()))
    # A folder of homes, as some system users have, says nothing about whose is whose.
    yield from (one for one in found if one == "/root" or len(Path(one).parts) > 2)


def _names() -> Iterator[str]:
    """The machine's names, whole and without its domain."""
    yield from (settings.MENTOR_MACHINE, settings.MENTOR_MACHINE.partition(".")[0], *_hosts())


def _is_a_name(word: str) -> bool:
    """Tell whether a word names somebody; without the common ones a text would lose its sense."""
    return len(word) >= SHORTEST_NAME and word.lower() not in COMMON_NAMES


def _hosts() -> Iterator[str]:
    yield from settings.MENTOR["MENTOR_ALLOWED_HOSTS"]
    for url in (settings.MENTOR["MENTOR_DATABASE_URL"], settings.MENTOR["MENTOR_REDIS_URL"]):
        try:
            yield urlsplit(url).hostname or ""
        except ValueError:
            continue


def shown_settings() -> dict[str, Any]:
    """Return every option as it may be shown: numbers and paths; of anything else only whether it is set."""
    return {option.name: _shown(option, settings.MENTOR.get(option.name)) for option in OPTIONS}


def _shown(option: Option, value: Any) -> Any:
    if value in (None, "", [], {}):
        return "not set"
    if option.read in NUMBERS:
        return value
    if option.read is path:
        return str(value)
    if option.read is paths:
        return [str(one) for one in value]
    if isinstance(value, Mapping):
        return plain_rules(value)
    return value if isinstance(value, str) and _is_plain_host(option, value) else f"set {GONE}"


def plain_rules(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return rules with their numbers; texts, such as whom to notify, are only said to be set."""
    return {key: value if isinstance(value, (int, float)) else f"set {GONE}" for key, value in rules.items()}


def shown_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the harmless variables of an environment."""
    return {name: environment[name] for name in HARMLESS if name in environment}
