"""Sending files and long streams to a browser: ranges, at the client's own pace, in a way that runs nothing.

Under ASGI what is sent is asked for block by block, as the server takes it: Django would read a whole file into memory
first.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, http_date

from sessions.domain.byte_ranges import OutOfRange, Part, asked_part
from sessions.errors import Missing
from sessions.runtime.files import open_regular
from sessions.runtime.packing import open_bytes

logger = logging.getLogger(__name__)

BLOCK_BYTES = 512 * 1024
BINARY = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
# What a browser may show or play in place; everything else is a download of unknown bytes.
SHOWN = {
    ".yaml": TEXT, ".yml": TEXT, ".json": TEXT, ".log": TEXT, ".txt": TEXT, ".csv": TEXT, ".tsv": TEXT, ".md": TEXT,
    ".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif",
}  # fmt: skip
POLICY = "default-src 'none'; sandbox"


class CutShort(Exception):
    """An answer that has begun cannot be sent whole."""


def file_answer(
    request: HttpRequest, path: Path, *, name: str = "", content_type: str = "", attachment: bool = False
) -> HttpResponseBase:
    """Answer with a regular file, or the part of it that is asked for; raises Missing when there is none to read.

    A file that grows is sent as long as it was when it was opened; one that shrinks ends the connection.
    Without a content type, texts and videos are shown by their ending, and all else is a download.
    """
    try:
        file = open_regular(path)
    except OSError:
        raise Missing(f"{name or path.name} is no longer there.") from None
    about = os.fstat(file.fileno())
    tag = f'"{about.st_mtime_ns:x}-{about.st_size:x}-{about.st_ino:x}"'
    changed = http_date(about.st_mtime)
    try:
        part = _wanted(request, about.st_size, {tag, changed})
    except OutOfRange:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{about.st_size}", "Accept-Ranges": "bytes"})
    shown = content_type or SHOWN.get(path.suffix.lower(), BINARY)
    whole = Part(0, about.st_size, about.st_size)
    answer = _answer(request, file, part or whole)
    answer.status_code = 206 if part else 200
    if part:
        answer["Content-Range"] = part.header
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = tag
    answer["Last-Modified"] = changed
    protect(answer, shown, name or path.name, attachment=attachment or shown == BINARY)
    return answer


def whole_file(request: HttpRequest, path: Path, *, name: str, content_type: str) -> HttpResponseBase:
    """Answer with a file as a download, also when it was compressed; with nothing when there is none."""
    with suppress(Missing):
        return file_answer(request, path, name=name, content_type=content_type, attachment=True)
    try:
        file = open_bytes(path)
    except OSError:
        return HttpResponse("", content_type=content_type)
    answer = _answer(request, file, Part(0, size := file.seek(0, os.SEEK_END), size))
    protect(answer, content_type, name, attachment=True)
    return answer


def _wanted(request: HttpRequest, size: int, validators: set[str]) -> Part | None:
    header = request.headers.get("Range", "")
    condition = request.headers.get("If-Range", "")
    if not header or request.method != "GET" or (condition and condition.strip() not in validators):
        return None
    return asked_part(header, size)


def _answer(request: HttpRequest, file: BinaryIO, part: Part) -> HttpResponseBase:
    answer: HttpResponseBase
    if request.method == "HEAD":
        file.close()
        answer = HttpResponse()
    else:
        answer = streamed(request, _blocks(file, part), close=file.close)
    answer["Content-Length"] = str(part.end - part.start)
    return answer


def _blocks(file: BinaryIO, part: Part) -> Iterator[bytes]:
    with file:
        file.seek(part.start)
        left = part.end - part.start
        while left:
            block = file.read(min(BLOCK_BYTES, left))
            if not block:
                raise CutShort(f"{file.name} ended {left} bytes too early")
            left -= len(block)
            yield block


def protect(answer: HttpResponseBase, content_type: str, name: str, *, attachment: bool) -> None:
    """Say what is sent, under which name it may be kept, and that nothing in it may run."""
    answer["Content-Type"] = content_type
    answer["Content-Disposition"] = content_disposition_header(attachment, safe_name(name)) or "inline"
    answer["Content-Security-Policy"] = POLICY
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-cache"


def safe_name(name: str) -> str:
    """Return the last part of a name without what no system or header takes; never empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join("_" if not one.isprintable() or one in '<>:"|?*' else one for one in last).strip(". ")
    return kept[-150:] or "file"


def streamed(
    request: HttpRequest, blocks: Iterator[bytes], *, close: Callable[[], object] | None = None
) -> StreamingHttpResponse:
    """Answer with blocks as the client takes them. One that fails midway raises CutShort, with which the server ends
    the connection, so that no client takes a part for the whole."""
    answer = StreamingHttpResponse(_paced(blocks, request.path) if hasattr(request, "scope") else blocks)
    if close is not None:
        answer._resource_closers.append(close)  # type: ignore[attr-defined]  # as FileResponse does
    return answer


async def _paced(blocks: Iterator[bytes], path: str) -> AsyncIterator[bytes]:
    following = sync_to_async(lambda: next(blocks, None))
    try:
        while (block := await following()) is not None:
            yield block
    except Exception as error:
        logger.warning("%s: %s", path, error)
        raise CutShort("it could not be sent whole") from error
