"""Every address of MENTOR."""

from csp.decorators import csp_update
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from sessions.pages.lists import dashboard

# Swagger UI styles its elements in place; this page alone may.
api_docs = csp_update({"style-src": ["'unsafe-inline'"]})(SpectacularSwaggerSplitView.as_view(url_name="api-schema"))

urlpatterns = [
    path("", dashboard, name="dashboard"),
    path("", include("sessions.pages.urls")),
    path("reports/", include("reports.pages.urls")),
    path("", include("mentor_site.doctor.pages")),
    path("accounts/", include("mentor_site.accounts")),
    path("favicon.ico", RedirectView.as_view(url=static("img/mark.svg")), name="favicon"),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", api_docs, name="api-docs"),
    path("api/", include("mentor_site.doctor.api")),
    path("api/", include("analysis.api.urls")),
    path("api/", include("reports.api.urls")),
    path("api/", include("sessions.api.urls")),
]

handler500 = "mentor_site.middleware.server_error"
