"""Secrets and names leave a text; what explains a failure stays."""

from __future__ import annotations

import json
import random
import secrets as randomness
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mentor_site.doctor.redaction import GONE, LONGEST_LINE, Redaction
from tests.sessions.domain.configuration.examples import CURRICULUM, DEFAULTS, RUN, SELF_PLAY, SIGNALS

GOLDEN = Path(__file__).parents[2] / "golden" / "console"
NOTHING_KNOWN = Redaction()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=hunter2", "hunter2"),
        ("  password: 'two words'  # mine", "two words"),
        ('{"api_key": "a b\\" c", "x": 1}', 'a b\\" c'),
        ("MY_ACCESS_KEY = abc", "abc"),
        ("WANDB_API_KEY=12345", "12345"),
        ("--license-key ABC-123 --other", "ABC-123"),
        ("--license-key=ABC-123", "ABC-123"),
        ("['--license-key', 'ABC 123']", "ABC 123"),
        ("Authorization: Bearer abc.def ghi", "abc.def ghi"),
        ("curl -H 'X-Auth-Token: one two'", "one two"),
        ("Bearer abcdefgh12", "abcdefgh12"),
        ("signed in with token a1b2c3d4", "a1b2c3d4"),
        ("the token is abc", "abc"),
        ("postgres://bob:pw@db.example.org/mentor", "bob:pw@db.example.org"),
        ("POST https://hooks.example.com/services/T0/B0/x?y=z", "hooks.example.com/services/T0/B0/x?y=z"),
        ("https://github.com/a?access=x", "access=x"),
        ("https://bob:pw@github.com/a", "bob:pw"),
        ("ghp_abcdefghij0123456789", "ghp_abcdefghij0123456789"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "eyJzdWIiOiIxIn0"),
        ("-----BEGIN PRIVATE KEY-----\nabcd\nefgh\n-----END PRIVATE KEY-----\nafter", "efgh"),
        ("from ada@example.org", "ada@example.org"),
        ("/home/ada/runs and /Users/ben/x", "ada"),
        ('File "C:\\Users\\Ada Lovelace\\x.py"', "Ada"),
        ("C:\\\\Users\\\\ada\\\\x", "ada"),
        ("listening on 192.168.1.7:5004", "192.168.1.7"),
    ],
)
def test_what_looks_like_a_secret_or_a_person_goes(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in NOTHING_KNOWN(text)


@pytest.mark.parametrize("console", sorted(GOLDEN.glob("*.log")), ids=lambda path: path.stem)
def test_consoles_keep_what_explains_them(console: Path) -> None:
    for line in console.read_text(encoding="utf-8").splitlines():
        if not any(word in line for word in ("Users", "home", "http", "@")):
            assert NOTHING_KNOWN(line) == line


@pytest.mark.parametrize("config", [CURRICULUM, DEFAULTS, RUN, SELF_PLAY, SIGNALS])
def test_configurations_stay_as_they_are(config: str) -> None:
    assert NOTHING_KNOWN(config) == config


@pytest.mark.parametrize(
    "text",
    [
        "[INFO] Ball. Step: 1000. Time Elapsed: 5.2 s. Mean Reward: 1.000. Std of Reward: 0.500.",
        "results/run3/Ball1/MyBehavior-999999.onnx",
        "nvidia-curand-cu12==10.3.2.106\ntorch==2.2.2+cu121\nbuild cpython-310-x86_64-linux-gnu",
        "Listening on port 5004. token count 5; see https://github.com/Unity-Technologies/ml-agents/issues",
        "mlagents_envs.exception.UnityEnvironmentException: http://localhost:5005 2026-11-21T21:55:45.123",
        "behaviors:\n  SmallWallJumpLearning:\n  Match3SimpleHeuristic:",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert NOTHING_KNOWN(text) == text


@pytest.mark.parametrize(
    "make", [lambda: randomness.token_urlsafe(32), lambda: randomness.token_hex(20), lambda: randomness.token_hex(32)]
)
def test_random_tokens_go_wherever_they_stand(make: Callable[[], str]) -> None:
    kept = [token for token in (make() for _ in range(300)) if token in NOTHING_KNOWN(f"connected {token}, fine")]
    assert len(kept) <= 3  # one in a thousand looks like words


@settings(max_examples=40)
@given(st.text(min_size=6, max_size=40).filter(lambda text: text.strip() == text and "\n" not in text), st.text())
def test_a_known_secret_goes_in_whatever_form_it_is_written(secret: str, around: str) -> None:
    clean = Redaction(frozenset({secret}))
    try:
        forms = [secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe="")]
    except UnicodeEncodeError:
        forms = [secret]
    for form in forms:
        if form not in GONE:
            assert form not in clean(f"{around} {form} {around}").replace(GONE, "")


def test_a_secret_of_several_lines_goes_line_by_line() -> None:
    clean = Redaction(frozenset({"first half of it\nsecond half of it"}))
    assert "half" not in clean("printed: first half of it\nlater: second half of it")


def test_data_loses_secrets_by_their_names_and_keeps_its_shape() -> None:
    told = NOTHING_KNOWN.of_data({"token": "x", "deep": [{"pin_secret": 7, "steps": 5, "ok": True}], "none": None})
    assert told == {"token": GONE, "deep": [{"pin_secret": GONE, "steps": 5, "ok": True}], "none": None}


def test_a_long_line_is_cut_between_words_so_that_no_half_of_a_secret_stays() -> None:
    line = "a " * (LONGEST_LINE // 2 - 5) + "ghp_abcdefghij0123456789" * 3
    assert "ghp" not in NOTHING_KNOWN(line)
    assert len(NOTHING_KNOWN("x" * 100_000)) < LONGEST_LINE


def test_homes_become_a_tilde_and_machines_lose_their_names() -> None:
    clean = Redaction(homes=("/srv/people/ada",), names=frozenset({"lab-7"}))
    assert clean("/srv/people/ada/runs on lab-7, not lab-77") == f"~/runs on {GONE}, not lab-77"


@pytest.mark.parametrize(
    "hostile", ["a", "A1", "--", "x-", "http://", 'token="', "a@", "-----BEGIN X-----\n", "/home/"]
)
def test_hostile_texts_are_done_with(hostile: str) -> None:
    NOTHING_KNOWN(hostile * (60_000 // len(hostile)))
    NOTHING_KNOWN("".join(random.Random(1).choices("aA1-_=:/@. \"'", k=60_000)))
