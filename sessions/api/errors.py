"""Every error of the API in one shape: code, detail, hint, errors."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from sessions.errors import MentorError
from sessions.selectors.database import explained, is_trouble

logger = logging.getLogger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn what a view raised into an answer; None lets Django report what nobody expected."""
    if is_trouble(error):
        logger.warning("%s", error)
        error = explained(error)
    if isinstance(error, MentorError):
        later = {"Retry-After": "5"} if error.http_status == 503 else None
        return Response(error.as_dict(), status=error.http_status, headers=later)
    if isinstance(error, RequestDataTooBig):
        return Response(_too_large(), status=413)
    answer = exception_handler(error, context)
    if answer is None:
        return None
    answer.data = _shape(error)
    return answer


def _too_large() -> dict[str, object]:
    most = (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) / 1024 / 1024
    return {"code": "too_large", "detail": f"The request is larger than {most:g} MB.", "hint": "", "errors": {}}


def _shape(error: Exception) -> dict[str, object]:
    if isinstance(error, ValidationError):
        errors = _by_field(error.detail)
        first = next((sentences[0] for sentences in errors.values() if sentences), "The request is wrong.")
        return {"code": "invalid", "detail": first, "hint": "", "errors": errors}
    if isinstance(error, Http404):
        return {"code": "missing", "detail": "There is no such thing.", "hint": "", "errors": {}}
    if isinstance(error, PermissionDenied):
        return {"code": "not_allowed", "detail": "You may not do this.", "hint": "", "errors": {}}
    if isinstance(error, APIException):
        codes = error.get_codes()
        return {
            "code": codes if isinstance(codes, str) else "error",
            "detail": str(error.detail),
            "hint": "",
            "errors": {},
        }
    return {"code": "error", "detail": "The request could not be answered.", "hint": "", "errors": {}}


def _by_field(detail: Any) -> dict[str, list[str]]:
    if isinstance(detail, dict):
        return {str(name): _sentences(value) for name, value in detail.items()}
    return {"request": _sentences(detail)}


def _sentences(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [sentence for inner in value.values() for sentence in _sentences(inner)]
    if isinstance(value, list):
        return [sentence for inner in value for sentence in _sentences(inner)]
    return [str(value)]
