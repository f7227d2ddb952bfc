"""Every error a person may see: a code for programs, a sentence for the page, a hint for the next move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class MentorError(Exception):
    """Something MENTOR refuses or cannot do, said in one sentence."""

    code = "error"
    http_status = 400

    def __init__(self, detail: str, *, hint: str = "", errors: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.errors = {field: list(sentences) for field, sentences in (errors or {}).items()}

    def as_dict(self) -> dict[str, object]:
        """Return the one shape in which errors leave MENTOR."""
        return {"code": self.code, "detail": self.detail, "hint": self.hint, "errors": self.errors}


class InvalidStart(MentorError):
    """The request to start a session is wrong; `errors` names the fields."""

    code = "invalid_start"


class NotAllowed(MentorError):
    """The user may not do this."""

    code = "not_allowed"
    http_status = 403


class Conflict(MentorError):
    """The session is not in a state in which this can be done."""

    code = "conflict"
    http_status = 409


class IllegalTransition(Conflict):
    """The table of states has no such change."""

    code = "illegal_transition"


class InvalidInput(MentorError):
    """A field of a form or a parameter of a request is wrong."""

    code = "invalid"


class NoPlace(MentorError):
    """MENTOR may not write where runs are kept."""

    code = "no_place"
    http_status = 503


class Missing(MentorError):
    """There is no such thing, or none that this user may see."""

    code = "missing"
    http_status = 404


class LaunchFailed(MentorError):
    """An attempt could not be started."""

    code = "launch_failed"
    http_status = 500
