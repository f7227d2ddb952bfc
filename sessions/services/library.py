"""Keeping configurations under a name."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from sessions.domain.yaml_tree import ConfigError, parse
from sessions.errors import Conflict, InvalidInput, Missing
from sessions.models import KeptConfig
from sessions.services.editing import require_permission

PERMISSION = "training.start_session"
LONGEST_NAME = 100


def keep(name: str, text: str, *, by: User) -> KeptConfig:
    """Store a text as the next version of that name and return it; the newest one when it is the same text.

    Raises NotAllowed, InvalidInput when the name is missing or the text is no YAML, or Conflict when somebody else
    keeps that name at the same moment.
    """
    require_permission(by, PERMISSION)
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        sentence = f"Give it a name of at most {LONGEST_NAME} characters."
        raise InvalidInput(sentence, errors={"name": [sentence]})
    text = text.replace("\r\n", "\n")
    _require_yaml(text)
    newest = KeptConfig.objects.filter(name=name).order_by("-version").first()
    if newest is not None and newest.text == text:
        return newest
    try:
        with transaction.atomic():
            number = newest.version + 1 if newest else 1
            return KeptConfig.objects.create(name=name, version=number, text=text, kept_by=by)
    except IntegrityError:
        raise Conflict(f"Somebody kept {name} at the same moment.", hint="Look at theirs, then try again.") from None


def forget(key: int, *, by: User) -> KeptConfig:
    """Delete one version and return what it was; raises NotAllowed or Missing."""
    require_permission(by, PERMISSION)
    kept = KeptConfig.objects.filter(pk=key).first()
    if kept is None:
        raise Missing("There is no such configuration.")
    KeptConfig.objects.filter(pk=key).delete()
    return kept


def _require_yaml(text: str) -> None:
    try:
        tree = parse(text.encode("utf-8", "surrogatepass")).tree
    except ConfigError as error:
        told = f"Line {error.line}: {error.message}" if error.line else error.message
        raise InvalidInput(told, hint=error.hint, errors={"config": [told]}) from error
    if not isinstance(tree, dict):
        raise InvalidInput("There is no configuration to keep.", errors={"config": ["Write a configuration first."]})
