from django.urls import path

from reports.api import views

app_name = "reports-api"

urlpatterns = [path("reports/", views.ReportsView.as_view(), name="reports")]
