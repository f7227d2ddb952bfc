"""The doctor's page, and bundles for a bug report.

What is found names paths, versions and programs of the whole machine: it is for staff. A bundle of one session is for
whoever may see that session; without staff's rights it tells nothing of the machine but versions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sessions.downloads import protect
from sessions.errors import NotAllowed
from sessions.models import TrainingSession
from sessions.pages.showing import show
from sessions.selectors.machine import SystemShape, system_shape
from sessions.selectors.sessions import session_named

if TYPE_CHECKING:
    from mentor_site.doctor.findings import Placed

app_name = "doctor"
# What has not answered by then is asked for again by the page, once it is shown.
PAGE_SECONDS = 0.7


@dataclass(frozen=True)
class Subject:
    """The findings of one subject, the worst first."""

    name: str
    level: str
    findings: list[Placed]


@dataclass(frozen=True)
class DoctorPage:
    """What was looked at on this machine, what is wrong, and what to do about it."""

    template: ClassVar[str] = "doctor/page.html"
    level: str
    subjects: list[Subject] = field(metadata={"help": "Those with errors first, then those with warnings."})
    late: list[str] = field(metadata={"help": "Checks that had not answered when the page was made."})
    counts: dict[str, int] = field(metadata={"help": "How many findings there are of each level."})
    system: SystemShape


@never_cache
@require_safe
def doctor_page(request: HttpRequest) -> HttpResponse:
    """The findings. With `patient` slow checks are waited for."""
    from mentor_site.doctor import examination  # it would cost every page of the web process its memory

    require_staff(request)
    seconds = examination.PATIENCE_SECONDS if "patient" in request.GET else PAGE_SECONDS
    found = examination.examine(seconds=seconds)
    return show(request, _page(found.findings, found.late))


def _page(findings: list[Placed], late: list[str]) -> DoctorPage:
    from mentor_site.doctor.findings import LEVELS, worst

    names = list(dict.fromkeys(one.subject for one in findings))
    subjects = []
    for name in names:
        of_it = sorted((one for one in findings if one.subject == name), key=lambda one: -LEVELS.index(one.level))
        subjects.append(Subject(name, worst(one.level for one in of_it), of_it))
    subjects.sort(key=lambda one: -LEVELS.index(one.level))
    counts = {level: sum(one.level == level for one in findings) for level in LEVELS}
    return DoctorPage(worst(one.level for one in findings), subjects, late, counts, system_shape())


@never_cache
@require_safe
def bundle(request: HttpRequest) -> HttpResponse:
    """A bundle for a bug report: the machine."""
    require_staff(request)
    return _download(None, of_machine=True)


@never_cache
@require_safe
def session_bundle(request: HttpRequest, run_id: str) -> HttpResponse:
    """A bundle for a bug report: one session, and for staff the machine."""
    return _download(session_named(run_id, request.user), of_machine=_is_staff(request))


def _download(session: TrainingSession | None, *, of_machine: bool) -> HttpResponse:
    from mentor_site.doctor import bundle, examination

    found = examination.examine() if of_machine else None
    answer = HttpResponse(bundle.build(found, session))
    protect(answer, "application/zip", bundle.file_name(session), attachment=True)
    return answer


def require_staff(request: HttpRequest) -> None:
    """Raise NotAllowed unless the user is staff."""
    if not _is_staff(request):
        raise NotAllowed("Only staff may see how this machine stands.", hint="Ask an administrator.")


def _is_staff(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_staff", False))


urlpatterns = [
    path("doctor/", doctor_page, name="page"),
    path("doctor/bundle/", bundle, name="bundle"),
    path("sessions/<str:run_id>/bundle/", session_bundle, name="session-bundle"),
]
