from django.urls import path

from sessions.api import distributions, imports, views
from sessions.services.actions import ACTIONS

app_name = "api"

# Actions that are told more than their name.
OWN = {"resume": views.ResumeView}

urlpatterns = [
    path("sessions/", views.SessionsView.as_view(), name="sessions"),
    path("preview/", views.PreviewView.as_view(), name="preview"),
    path("sessions/<str:run_id>/", views.SessionView.as_view(), name="session"),
    *(
        path(f"sessions/<str:run_id>/{action}/", OWN.get(action, views.ActionView).as_view(asked=action), name=action)
        for action in ACTIONS
    ),
    path("sessions/<str:run_id>/move/", views.MoveView.as_view(), name="move"),
    path("sessions/<str:run_id>/schedule/", views.ScheduleView.as_view(), name="schedule"),
    path("batches/", views.BatchView.as_view(), name="batches"),
    path("sessions/<str:run_id>/log/", views.LogView.as_view(), name="log"),
    path("sessions/<str:run_id>/metrics/", views.MetricsView.as_view(), name="metrics"),
    path("sessions/<str:run_id>/histograms/", distributions.HistogramsView.as_view(), name="histograms"),
    path("sessions/<str:run_id>/texts/", distributions.TextsView.as_view(), name="texts"),
    path("sessions/<str:run_id>/attempts/", views.AttemptsView.as_view(), name="attempts"),
    path("sessions/<str:run_id>/events/", views.EventsView.as_view(), name="events"),
    path("sessions/<str:run_id>/artifacts/", views.ArtifactsView.as_view(), name="artifacts"),
    path("sessions/<str:run_id>/checkpoints/", views.CheckpointsView.as_view(), name="checkpoints"),
    path("sessions/<str:run_id>/artifacts/<int:key>/", views.ArtifactView.as_view(), name="artifact"),
    path("sessions/<str:run_id>/config/", views.ConfigView.as_view(), name="config"),
    path("imports/", imports.ImportsView.as_view(), name="imports"),
    path("imports/<int:key>/", imports.ImportView.as_view(), name="import"),
    path("trainers/", views.TrainersView.as_view(), name="trainers"),
    path("environments/", views.EnvironmentsView.as_view(), name="environments"),
    path("system/", views.SystemView.as_view(), name="system"),
    path("queue/", views.QueueView.as_view(), name="queue"),
]
