"""Teaching MENTOR causes that its catalogue does not know."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from sessions.errors import Conflict, InvalidInput, Missing
from sessions.models import TaughtCause
from sessions.services.editing import require_permission

PERMISSION = "training.start_session"
# A shorter text stands in every console.
LEAST_CHARACTERS = 8


def teach(text: str, *, title: str, fix: str, cause: str = "", by: User) -> TaughtCause:
    """Store a cause and return it.

    Raises NotAllowed, InvalidInput with sentences per field, or Conflict when the text is known already.
    """
    require_permission(by, PERMISSION)
    text, title, fix, cause = (" ".join(words.split()) for words in (text, title, fix, cause))
    errors = {}
    if len(text) < LEAST_CHARACTERS:
        errors["text"] = [f"Write at least {LEAST_CHARACTERS} characters of the line that tells of the failure."]
    if not title:
        errors["title"] = ["Say in a few words what happened."]
    if not fix:
        errors["fix"] = ["Say what helps."]
    if errors:
        raise InvalidInput(next(iter(errors.values()))[0], errors=errors)
    try:
        with transaction.atomic():
            return TaughtCause.objects.create(text=text[:300], title=title[:200], cause=cause, fix=fix, taught_by=by)
    except IntegrityError:
        raise Conflict("This text was taught before.", hint="Forget the earlier one first.") from None


def forget(key: int, *, by: User) -> None:
    """Delete a cause that was taught; raises NotAllowed or Missing."""
    require_permission(by, PERMISSION)
    if not TaughtCause.objects.filter(pk=key).delete()[0]:
        raise Missing("There is no such cause.")
