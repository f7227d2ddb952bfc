from django.urls import path

from reports.pages import views

app_name = "reports"

urlpatterns = [
    path("", views.report_list, name="list"),
    path("<int:key>/", views.report_page, name="detail"),
    path("<int:key>/download/", views.report_download, name="download"),
    path("build/<str:run_id>/", views.build, name="build"),
]
