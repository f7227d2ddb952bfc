from django.urls import path

from analysis.api import views

app_name = "analysis-api"

urlpatterns = [path("sessions/<str:run_id>/summary/", views.SummaryView.as_view(), name="summary")]
