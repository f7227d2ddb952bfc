"""Hostile text in, a plain tree out: YAML as mlagents-learn reads it, within limits, with the place of every key.

The pure Python loader is used on purpose: libyaml's crashes the process on deep nesting. Anchors are refused because
a few hundred bytes of them describe gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from sessions.domain.yaml_trouble import Place, Trouble, place_of, trouble_of

MAX_BYTES = 256 * 1024
MAX_DEPTH = 50
MAX_NODES = 10_000
# Numbers and dates of more characters than this are nobody's setting, and slow to convert.
MAX_TYPED_CHARACTERS = 100
# A name in a message may be as long as the file.
MAX_MESSAGE_CHARACTERS = 500
_TAG = "tag:yaml.org,2002:"
WRITTEN_OUT = (
    "Write the settings out where they are used; put what all behaviors share under default_settings, which "
    "ML-Agents lays under each of them."
)
_MARK = b"\xef\xbb\xbf"
_PLAIN = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")

TreePath = tuple[str, ...]


class ConfigError(ValueError):
    """A configuration that mlagents-learn or MENTOR would refuse, said in one sentence.

    `line` and `column` count from 1 and are None when the whole file is meant; `path` is a dotted path into the file.
    """

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None, path: str = "") -> None:
        self.message = message if len(message) <= MAX_MESSAGE_CHARACTERS else message[:MAX_MESSAGE_CHARACTERS] + "…"
        super().__init__(self.message)
        self.hint = hint
        self.line = place.line if place else None
        self.column = place.column if place else None
        self.path = path
        # All that was found, when there is more to say than this: findings of a validation.
        self.findings: Sequence[Any] = ()


class Span(NamedTuple):
    """A part of a text; `block` for mappings and lists that are written by indentation."""

    start: int
    end: int
    block: bool


@dataclass(frozen=True)
class Document:
    """What a file holds, and where.

    `places` has the place of every key of a mapping, `values` that of every value, also in lists, whose items have
    their number for a name. Of a key that is given twice the last one counts, as for ML-Agents; `repeated` has the
    place of each such repetition and the line before it. `numerals` are the places of whole numbers that YAML reads
    as another number than a person does, such as 010, with that number. `spans` has every value as the part of the text
    from one character to another; of a mapping or list over several lines it begins at the first item.
    """

    tree: Any
    places: Mapping[TreePath, Place]
    values: Mapping[TreePath, Place]
    repeated: Sequence[tuple[TreePath, Place, int]] = ()
    numerals: Mapping[TreePath, int] = field(default_factory=dict)
    has_mark: bool = False  # a byte order mark
    spans: Mapping[TreePath, Span] = field(default_factory=dict)


def parse(data: bytes) -> Document:
    """Return the one document of a YAML file, made of dict, list, str, int, float, bool, date and None.

    Raises ConfigError for what no safe loader takes, and for anchors, tags, and more than 50 levels or 10,000 values.
    """
    text = _decode(data)
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        place = place_of(text, error.position)
        raise ConfigError("There is a character that YAML does not allow.", place=place) from error
    try:
        node = loader.get_single_node()
        reader = _TreeReader(loader)
        tree = reader.value(node, ()) if node is not None else None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(trouble_of(error, text)) from error
    except ConfigError:
        raise
    except (RecursionError, ValueError, OverflowError, KeyError, AttributeError, TypeError) as error:
        # Also what PyYAML raises for a value that is not what its tag says, such as !!bool maybe.
        raise ConfigError("A value in the configuration cannot be read.", place=loader.last_place) from error
    finally:
        loader.dispose()
    return Document(
        tree, reader.places, reader.values, reader.repeated, reader.numerals, data[:3] == _MARK, reader.spans
    )


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise ConfigError(
            f"The configuration is larger than {MAX_BYTES // 1024} KB.", hint="A configuration is a few kilobytes."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        raise ConfigError(
            "The configuration is not written in UTF-8.",
            hint="Save it with the encoding UTF-8.",
            place=place_of(before, len(before)),
        ) from error


def _too_deep(place: Place | None) -> ConfigError:
    hint = "Settings of ML-Agents are at most nine levels deep."
    return ConfigError(f"The configuration is nested more than {MAX_DEPTH} levels deep.", hint=hint, place=place)


def _foreign(node: Node, path: TreePath) -> ConfigError:
    hint = "Take it away: numbers, words, lists and settings need no tag."
    return ConfigError(f"The tag {node.tag} is not allowed here.", hint=hint, place=_start(node), path=".".join(path))


def _mark(mark: Any) -> Place | None:
    return Place(mark.line + 1, mark.column + 1) if mark else None


def _start(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _syntax_error(trouble: Trouble) -> ConfigError:
    return ConfigError(trouble.message, hint=trouble.hint, place=trouble.place)


class _Loader(yaml.SafeLoader):
    """SafeLoader that gives up at the first sign of a bomb, before anything is built."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.count = 0
        self.last_place: Place | None = None

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        # The scanner reads ahead, with every bracket more slowly.
        if self.flow_level >= MAX_DEPTH:
            raise _too_deep(Place(self.line + 1, self.column + 1))
        super().fetch_flow_collection_start(token)

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        self.last_place = place = _mark(event.start_mark)
        self.count += 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ConfigError(
                "Anchors and aliases (& and *) are not allowed here.",
                hint=WRITTEN_OUT,
                place=place,
            )
        if self.count > MAX_NODES:
            raise ConfigError(f"The configuration has more than {MAX_NODES:,} values.", place=place)
        if self.depth >= MAX_DEPTH:
            raise _too_deep(place)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


@dataclass
class _TreeReader:
    """Turns nodes into values, and remembers where the keys stood."""

    loader: _Loader
    places: dict[TreePath, Place] = field(default_factory=dict)
    values: dict[TreePath, Place] = field(default_factory=dict)
    repeated: list[tuple[TreePath, Place, int]] = field(default_factory=list)
    numerals: dict[TreePath, int] = field(default_factory=dict)
    spans: dict[TreePath, Span] = field(default_factory=dict)

    def value(self, node: Node, path: TreePath) -> Any:
        self.values[path] = _start(node)
        block = isinstance(node, MappingNode | SequenceNode) and not node.flow_style
        self.spans[path] = Span(node.start_mark.index, node.end_mark.index, block)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(item, (*path, str(number))) for number, item in enumerate(node.value)]
        if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        raise _foreign(node, path)

    def _mapping(self, node: MappingNode, path: TreePath) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            inner = (*path, str(key))
            if key in values:
                first = self.places[inner].line if inner in self.places else 1
                self.repeated.append((inner, _start(key_node), first))
            self.places[inner] = _start(key_node)
            values[key] = self.value(value_node, inner)
        return values

    def _key(self, node: Node, path: TreePath) -> Any:
        if not isinstance(node, ScalarNode):
            raise ConfigError("A list or a mapping cannot be a name.", place=_start(node), path=".".join(path))
        if node.tag == f"{_TAG}merge":
            message = "The merge key << is not allowed here."
            raise ConfigError(message, hint=WRITTEN_OUT, place=_start(node), path=".".join(path))
        return self._scalar(node, path)

    def _scalar(self, node: ScalarNode, path: TreePath) -> Any:
        self.loader.last_place = place = _start(node)
        if node.tag not in self.loader.yaml_constructors:
            raise _foreign(node, path)
        if node.tag != f"{_TAG}str" and len(node.value) > MAX_TYPED_CHARACTERS:
            raise ConfigError("A number is too long.", place=place, path=".".join(path))
        value = self.loader.construct_object(node)
        if type(value) is int and not _PLAIN.fullmatch(node.value):
            self.numerals[path] = value
        if isinstance(value, bytes):
            raise ConfigError("Binary data is not allowed here.", place=place, path=".".join(path))
        if isinstance(value, str) and not _is_storable(value):
            raise ConfigError("A text holds a character that cannot be stored.", place=place, path=".".join(path))
        return value


def _is_storable(text: str) -> bool:
    """Escapes in YAML can name halves of characters and NUL, which no file or database takes."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


class _Dumper(yaml.SafeDumper):
    """SafeDumper that writes a value out each time: aliases would be refused when it is read again."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> ScalarNode:
        # Line breaks of Unicode come back as blanks or newlines from any style but the double-quoted one.
        odd = any(character in data for character in "\x85\u2028\u2029\ufeff")
        return self.represent_scalar(f"{_TAG}str", data, style='"' if odd else None)


_Dumper.add_representer(str, _Dumper.represent_str)


def dump(tree: Any) -> bytes:
    """Return YAML in UTF-8 that loads to an equal tree, its keys in the same order."""
    text: str = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text.encode()
