"""Reports as a user may see them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from reports.models import Report
from sessions.errors import Missing
from sessions.selectors.sessions import User, visible_sessions


def visible_reports(user: User) -> QuerySet[Report]:
    """Return the reports of the sessions a user may see."""
    return Report.objects.filter(session__in=visible_sessions(user)).select_related("session")


def report_of(key: int, user: User) -> Report:
    """Return one visible report whose file is there; raises Missing."""
    report = visible_reports(user).filter(pk=key).first()
    if report is None or not report.path.is_file():
        raise Missing("There is no such report.", hint="Build it again on the session's page.")
    return report


def report_row(report: Report) -> dict[str, Any]:
    """Return a report as lists and the API show it."""
    return {
        "id": report.pk,
        "run_id": report.session.run_id,
        "session": report.session,
        "title": report.title,
        "made_at": report.made_at,
        "size": report.size,
        "url": reverse("reports:detail", args=[report.pk]),
        "download_url": reverse("reports:download", args=[report.pk]),
    }
