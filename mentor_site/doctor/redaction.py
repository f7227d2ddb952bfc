"""Taking secrets and people's names out of a text that is meant for others.

What is known to be a secret is looked for byte by byte; what only looks like one is recognised by its name, by the
shape of known tokens, or by letters and digits that change as those of no word do. In doubt it goes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote

GONE = "<removed>"
SHORTEST_SECRET = 6
SHORTEST_TOKEN, HEX_TOKEN = 20, 32
# How often letters, capitals and digits follow each other in names, and in a row of names.
OF_WORDS, OF_PATHS = 0.27, 0.34
# Longer lines are cut between two words: what looks for secrets takes the square of their length.
LONGEST_LINE = 4000
NAMES = (
    r"pass(?:word|wd|phrase|\b)|pwd|secrets?|token|api[_-]?key|access[_-]?key|private[_-]?key|licen[cs]e(?:[_-]?key)?|"
    r"credentials?|auth(?:orization)?|bearer|cookie|sessionid|csrf\w*|[_-]keys?|signature|webhook|dsn|serial|e?mail|notify\w*"
)
# A quote that is not closed goes on to the end of its line.
QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|[\"'][^\n]*"
# password=…, "api_key": "…", --token …, Authorization: Bearer … : whole headers go to the end of their line.
SECRET_NAME = re.compile(NAMES, re.I)
HEADER = re.compile(
    r"((?:proxy-)?authorization|set-cookie|cookie|x-[\w-]{0,40}(?:token|key|auth))(\"?\s{0,4}[:=]\s{0,4})[^\n]+", re.I
)
ASSIGNED = re.compile(
    rf"((?:{NAMES})[\w-]{{0,40}}[\"']?\s{{0,4}}(?:=>|[:=]|\bis\b)\s{{0,4}})({QUOTED}|[^\s,;&]+)", re.I
)
SPOKEN = re.compile(rf"\b({NAMES})(\s{{1,4}})(?=\S{{0,200}}\d)\S{{6,}}", re.I)
FLAG = re.compile(rf"(--?[\w-]{{0,60}}(?:{NAMES})[\w-]{{0,40}}[\"',]*\s{{1,4}})({QUOTED}|[^\s]+)", re.I)
SCHEME = re.compile(r"\b(bearer|basic|token|digest)(\s{1,4})[A-Za-z0-9+/=._~-]{8,}", re.I)
URL = re.compile(r"\b([a-z][a-z0-9+.-]{1,20})://([^\s\"'<>\\]+)", re.I)
KEY_BEGINS, KEY_ENDS, KEY_LINES = re.compile("-----BEGIN [A-Z0-9 ]{1,40}-----"), "-----END ", 200
SHAPES = re.compile(
    r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}|sk-[\w-]{12,}|[ps]k_\w{12,}|"
    r"AKIA[0-9A-Z]{12,}|AIza[\w-]{20,}|hf_\w{12,}|npm_\w{16,}|pypi-[\w-]{16,}|eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?|"
    r"\d{8,10}:[\w-]{30,})"
)
RUN = re.compile(rf"[A-Za-z0-9+/_=-]{{{SHORTEST_TOKEN},}}")
UNSPEAKABLE = re.compile("[b-df-hj-np-tv-xz]{5}", re.I)
NAME = re.compile("[A-Z][a-z]{2,}")
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}")
HOMES = re.compile(
    r"(?<![\w/.])/(?:home|Users)/[^/\s\"':;,]+|"
    r"\b[A-Za-z]:[\\/]{1,2}(?:Users|Documents and Settings)[\\/]{1,2}(?:[^\\/\n\"':;,]{1,64}(?=[\\/])|[^\\/\s\"':;,]+)",
    re.I,
)
ADDRESS = re.compile(r"(?<![\w.=])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
HARMLESS_ADDRESSES = ("127.", "0.0.0.0", "255.")  # noqa: S104 - it is compared, not listened on
# Pages that programs point to; of any other address only the kind stays.
HARMLESS_HOSTS = re.compile(
    r"(?:[\w-]+\.)*(?:github\.com|pytorch\.org|python\.org|readthedocs\.io|unity3d\.com|unity\.com|nvidia\.com|"
    r"djangoproject\.com|localhost|127\.0\.0\.1)(?::\d{1,5})?"
)


@dataclass(frozen=True)
class Redaction:
    """What must not be in a text: `secrets` anywhere, `homes` (paths that become ~), `names` of machines."""

    secrets: frozenset[str] = frozenset()
    homes: tuple[str, ...] = ()
    names: frozenset[str] = field(default_factory=frozenset)

    def __call__(self, text: str) -> str:
        """Return the text without them, and without what looks like a secret; long lines are cut."""
        lines = _without_keys(self._without_known(text).split("\n"))
        return self._without_known("\n".join(_clean(_cut(line)) for line in lines))

    def of_data(self, value: Any) -> Any:
        """Return what JSON can hold with every text in it cleaned, and nothing under a name of secrets."""
        if isinstance(value, Mapping):
            return {self(str(key)): self._of_entry(str(key), one) for key, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.of_data(one) for one in value]
        return self(value) if isinstance(value, str) else value

    def _of_entry(self, key: str, value: Any) -> Any:
        told = isinstance(value, (str, int, float)) and not isinstance(value, bool)
        return GONE if told and SECRET_NAME.search(key) else self.of_data(value)

    def _without_known(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(GONE, text)
        if self._homes is not None:
            text = self._homes.sub("~", text)
        return text if self._names is None else self._names.sub(GONE, text)

    @cached_property
    def _known(self) -> re.Pattern[str] | None:
        return _any_of({form for one in self._lines() for form in _forms(one)})

    def _lines(self) -> Iterator[str]:
        """A secret of several lines is looked for line by line, too."""
        for secret in self.secrets:
            yield from (one for one in {secret, *secret.splitlines()} if len(one.strip()) >= SHORTEST_SECRET)

    @cached_property
    def _homes(self) -> re.Pattern[str] | None:
        return _any_of({form for one in self.homes if len(one) > 1 for form in _forms(one)}, behind=r"(?![\w-])")

    @cached_property
    def _names(self) -> re.Pattern[str] | None:
        return _any_of(self.names, before=r"(?<![\w-])", behind=r"(?![\w-])")

    def holds(self, data: bytes) -> bool:
        """Tell whether a known secret is in these bytes."""
        return self._known is not None and self._known.search(data.decode("utf-8", "replace")) is not None


def _any_of(words: Iterable[str], *, before: str = "", behind: str = "") -> re.Pattern[str] | None:
    longest_first = sorted(filter(None, words), key=lambda word: (-len(word), word))
    return re.compile(f"{before}(?:{'|'.join(map(re.escape, longest_first))}){behind}") if longest_first else None


def _forms(secret: str) -> set[str]:
    """A text as it is written in addresses and in JSON, too."""
    plain = {secret, unquote(secret)}
    written = {form for one in plain for form in (quote(one), quote(one, safe=""), json.dumps(one)[1:-1])}
    return plain | written | {json.dumps(one, ensure_ascii=False)[1:-1] for one in plain}


def _cut(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    kept = line[:LONGEST_LINE].rpartition(" ")[0]
    return f"{kept} … ({len(line)} characters)"


def _without_keys(lines: Iterable[str]) -> Iterator[str]:
    """Leave out the lines of private keys and certificates."""
    left = 0
    for line in lines:
        if left == 0 and "-----BEGIN " in line and KEY_BEGINS.search(line):
            left = KEY_LINES
            yield GONE
        elif left == 0:
            yield line
        else:
            left = 0 if KEY_ENDS in line else left - 1


def _clean(line: str) -> str:
    if "://" in line:
        line = URL.sub(_url, line)
    if SECRET_NAME.search(line):
        line = HEADER.sub(rf"\1\2{GONE}", line)
        line = FLAG.sub(_flag, line)
        line = ASSIGNED.sub(rf"\1{GONE}", line)
        line = SPOKEN.sub(rf"\1\2{GONE}", line)
    line = SCHEME.sub(rf"\1\2{GONE}", line)
    line = SHAPES.sub(GONE, line)
    if "@" in line:
        line = EMAIL.sub(GONE, line)
    if "/" in line or "\\" in line:
        line = HOMES.sub("~", line)
    line = ADDRESS.sub(_address, line)
    return RUN.sub(_run, line)


def _url(found: re.Match[str]) -> str:
    """Of an address only its kind, unless it is one that programs point to and holds nothing behind a question mark."""
    scheme, rest = found[1], found[2]
    host, slash, path = rest.partition("/")
    if HARMLESS_HOSTS.fullmatch(host) and not re.search(r"[?#@]", rest):
        return f"{scheme}://{host}{slash}{path}"
    return f"{scheme}://{rest}" if scheme.lower() == "file" else f"{scheme}://{GONE}"


def _flag(found: re.Match[str]) -> str:
    """`--password x` tells x; `--token --other` and words that a sentence goes on with do not."""
    return found[0] if found[2].startswith("-") else f"{found[1]}{GONE}"


def _address(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith(HARMLESS_ADDRESSES) else GONE


def _run(found: re.Match[str]) -> str:
    """Paths and names are made of words; a token changes between letters, capitals and digits all the time."""
    parts = found[0].split("/")
    if len(parts) > 1 and _is_mixed(found[0], OF_PATHS):
        return GONE
    return "/".join(GONE if _is_mixed(one, OF_WORDS) else one for one in parts)


def _is_mixed(text: str, usual: float) -> bool:
    """Tell whether a run of letters and digits is longer and more mixed than words, numbers and versions are."""
    letters = [one for one in text if one.isalnum()]
    if len(letters) < SHORTEST_TOKEN:
        return False
    if len(letters) >= HEX_TOKEN and all(one in "0123456789abcdefABCDEF" for one in letters):
        return any(one.isalpha() for one in letters)
    plain = NAME.sub(lambda name: name[0].lower(), "".join(letters))
    kinds = [0 if one.isdigit() else 1 if one.isupper() else 2 for one in plain]
    changes = sum(one != other for one, other in pairwise(kinds)) / (len(kinds) - 1)
    if UNSPEAKABLE.search(text):
        return 0 in kinds or changes > OF_WORDS
    return changes > (usual if 0 in kinds else max(usual, OF_PATHS))
