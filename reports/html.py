"""A report as one HTML file that opens without the server and without the internet."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from reports import figures, svg
from reports.contexts import ReportContext

STYLES = ("css/tokens.css", "css/report.css")
SCRIPTS = ("vendor/plotly-cartesian-4.1.1.min.js", "js/report.js")


def render_report(context: ReportContext) -> str:
    """Return the report. Everything the session named is escaped; styles, scripts and data are inside."""
    rewards = figures.reward_curves(context.curves)
    others = figures.other_charts(context.curves)
    charts = {"reward": figures.figure(rewards), **{tag: figures.figure(curves) for tag, curves in others}}
    values = {
        "report": context,
        "reward_svg": _safe(svg.line_chart(rewards, label="Cumulative reward by step")),
        "legend": [curve.behavior for curve in rewards],
        "charts": [(tag, _safe(svg.line_chart(curves, label=tag))) for tag, curves in others],
        "data": _json(charts),
        "styles": _safe("".join(_asset(name) for name in STYLES)),
        "scripts": [_safe(_asset(name).replace("</script", "<\\/script")) for name in SCRIPTS],
    }
    return render_to_string("reports/report.html", values)


def _json(charts: dict[str, Any]) -> SafeString:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(charts, allow_nan=False)
    return _safe(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _safe(text: str) -> SafeString:
    return mark_safe(text)  # noqa: S308 - our own files, numbers and escaped labels


@cache
def _asset(name: str) -> str:
    return Path(settings.STATICFILES_DIRS[0], name).read_text(encoding="utf-8")
