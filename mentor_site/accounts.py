"""Coming in: the one-time link, and the sign-in page for users with a password."""

from __future__ import annotations

from django.contrib.auth import login, views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from sessions.services import accounts

app_name = "accounts"


@login_not_required
@never_cache
@require_GET
def enter(request: HttpRequest) -> HttpResponse:
    """Sign in by a one-time link."""
    user = accounts.redeem_link(request.GET.get("token", ""))
    if user is None:
        return render(request, "accounts/entered_wrong.html", status=403)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    to = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(to, allowed_hosts={request.get_host()})
    return redirect(to if safe else "dashboard")


urlpatterns = [
    path("enter/", enter, name="enter"),
    path("login/", views.LoginView.as_view(template_name="accounts/login.html"), name="login"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
]
