"""Reports in the browser."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from reports import selectors, services
from sessions.selectors.machine import system_shape
from sessions.selectors.sessions import session_named

# A report carries its own script and style. Sandboxed, it cannot act with the reader's session.
REPORT_POLICY = (
    "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:"
)


@require_safe
def report_list(request: HttpRequest) -> HttpResponse:
    """All reports, newest first."""
    rows = [selectors.report_row(report) for report in selectors.visible_reports(request.user)[:500]]
    return render(request, "reports/list.html", {"reports": rows, "system": system_shape()})


@require_safe
def report_page(request: HttpRequest, key: int) -> HttpResponse:
    """The report itself, as it is kept."""
    report = selectors.report_of(key, request.user)
    answer = HttpResponse(report.path.read_bytes(), content_type="text/html; charset=utf-8")
    answer._csp_exempt = True  # type: ignore[attr-defined]  # it has a stricter policy of its own
    answer["Content-Security-Policy"] = REPORT_POLICY
    return answer


@require_safe
def report_download(request: HttpRequest, key: int) -> FileResponse:
    """The report as a file to keep."""
    report = selectors.report_of(key, request.user)
    return FileResponse(report.path.open("rb"), as_attachment=True, filename=report.name)


@require_POST
def build(request: HttpRequest, run_id: str) -> HttpResponse:
    """Build a session's report anew and show it."""
    report = services.build(session_named(run_id, request.user))
    messages.success(request, f"The report of {run_id} was built.")
    return redirect("reports:detail", report.pk)
