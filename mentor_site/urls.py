"""Every address of MENTOR."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from sessions.pages.views import dashboard

urlpatterns = [
    path("", dashboard, name="dashboard"),
    path("", include("sessions.pages.urls")),
    path("reports/", include("reports.pages.urls")),
    path("accounts/", include("mentor_site.accounts")),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("api/", include("analysis.api.urls")),
    path("api/", include("reports.api.urls")),
    path("api/", include("sessions.api.urls")),
]
