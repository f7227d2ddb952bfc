"""What reports add to pages of other rooms."""

from __future__ import annotations

from typing import Any

from django import template

from reports.models import Report
from reports.selectors import report_row

register = template.Library()


@register.inclusion_tag("reports/_session_reports.html", takes_context=True)
def session_reports(context: template.Context, run_id: str) -> dict[str, Any]:
    """The reports of a session the page already shows."""
    reports = Report.objects.filter(session__run_id=run_id).select_related("session")
    return {
        "run_id": run_id,
        "reports": [report_row(report) for report in reports],
        "can_build": True,
        "csrf_token": context.get("csrf_token"),
    }
