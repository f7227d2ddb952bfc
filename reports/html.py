"""A report as one HTML file."""

from __future__ import annotations

from django.template.loader import render_to_string

from reports.contexts import ReportContext


def render_report(context: ReportContext) -> str:
    """Return the report."""
    return render_to_string("reports/report.html", {"report": context})
