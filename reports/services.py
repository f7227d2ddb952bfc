"""Building reports: one session's values gathered, rendered and written."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from reports.gathering import session_context
from reports.html import render_report
from reports.models import Report
from sessions.models import TrainingSession
from sessions.runtime.files import atomic_write


def build(session: TrainingSession) -> Report:
    """Build the HTML report of a session, replacing an earlier one, and return it."""
    name = f"{session.run_id}.html"
    path = Path(settings.MENTOR_HOME) / "reports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = render_report(session_context(session, beside=path.parent)).encode()
    atomic_write(path, data)
    columns = {"title": session.name or session.run_id, "size": len(data)}
    return Report.objects.update_or_create(session=session, name=name, defaults=columns)[0]


def remove_reports(session_id: int) -> None:
    """Delete the files of a session's reports; their rows go with the session's. What is gone already is no error."""
    for report in Report.objects.filter(session_id=session_id):
        report.path.unlink(missing_ok=True)
