from django.urls import path

from sessions.api import (
    causes,
    checkpoints,
    configs,
    diagnosis,
    distributions,
    evaluations,
    exports,
    files,
    history,
    imports,
    keeping,
    metrics,
    views,
)
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
    path("sessions/<str:run_id>/clone/", diagnosis.CloneView.as_view(), name="clone"),
    path("sessions/<str:run_id>/diagnosis/", diagnosis.DiagnosisView.as_view(), name="diagnosis"),
    path("sessions/<str:run_id>/health/", diagnosis.HealthView.as_view(), name="health"),
    path("sessions/<str:run_id>/remedy/", diagnosis.RemedyView.as_view(), name="remedy"),
    path("batches/", views.BatchView.as_view(), name="batches"),
    path("sessions/<str:run_id>/log/", views.LogView.as_view(), name="log"),
    path("sessions/<str:run_id>/metrics/", metrics.MetricsView.as_view(), name="metrics"),
    path("sessions/<str:run_id>/histograms/", distributions.HistogramsView.as_view(), name="histograms"),
    path("sessions/<str:run_id>/texts/", distributions.TextsView.as_view(), name="texts"),
    path("metrics/", metrics.AcrossView.as_view(), name="across"),
    path("sessions/<str:run_id>/attempts/", views.AttemptsView.as_view(), name="attempts"),
    path("sessions/<str:run_id>/events/", views.EventsView.as_view(), name="events"),
    path("sessions/<str:run_id>/artifacts/", views.ArtifactsView.as_view(), name="artifacts"),
    path("sessions/<str:run_id>/checkpoints/", checkpoints.CheckpointsView.as_view(), name="checkpoints"),
    path("sessions/<str:run_id>/checkpoints/look/", checkpoints.LookView.as_view(), name="look-at-checkpoints"),
    path("sessions/<str:run_id>/checkpoints/<int:key>/release/", checkpoints.ReleaseView.as_view()),
    path("sessions/<str:run_id>/checkpoints/<int:key>/resume/", checkpoints.ResumeFromView.as_view()),
    path("outside-checkpoints/", checkpoints.OutsideView.as_view(), name="outside-checkpoints"),
    path("outside-checkpoints/<int:key>/", checkpoints.OutsideOneView.as_view()),
    path("sessions/<str:run_id>/artifacts/<int:key>/", files.ArtifactView.as_view(), name="artifact"),
    path("sessions/<str:run_id>/artifacts/<int:key>/model/", evaluations.ModelView.as_view(), name="model"),
    path("sessions/<str:run_id>/checkpoints/<int:key>/evaluate/", evaluations.EvaluateView.as_view(), name="evaluate"),
    path(
        "sessions/<str:run_id>/checkpoints/<int:key>/evaluations/",
        evaluations.EvaluationsView.as_view(),
        name="evaluations",
    ),
    path("sessions/<str:run_id>/files/", files.FilesView.as_view(), name="files"),
    path("sessions/<str:run_id>/files/<slug:key>/", files.FileView.as_view(), name="file"),
    path("sessions/<str:run_id>/player-logs/", files.PlayerLogsView.as_view(), name="player-logs"),
    path("sessions/<str:run_id>/config/", views.ConfigView.as_view(), name="config"),
    path("sessions/<str:run_id>/export/", exports.SessionExportView.as_view(), name="session-export"),
    path("export/", exports.ExportView.as_view(), name="export"),
    path("causes/", causes.CausesView.as_view(), name="causes"),
    path("causes/<int:key>/", causes.CauseView.as_view(), name="cause"),
    path("imports/", imports.ImportsView.as_view(), name="imports"),
    path("imports/<int:key>/", imports.ImportView.as_view(), name="import"),
    path("behaviors/", history.BehaviorsView.as_view(), name="behaviors"),
    path("projects/", history.ProjectsView.as_view(), name="projects"),
    path("bulk/", history.BulkView.as_view(), name="bulk"),
    path("trash/", keeping.TrashView.as_view(), name="trash-list"),
    path("removals/", keeping.RemovalsView.as_view(), name="removals"),
    path("retention/", keeping.RetentionView.as_view(), name="retention"),
    path("retention/plan/", keeping.RetentionPlanView.as_view(), name="retention-plan"),
    path("configs/validate/", configs.ValidateView.as_view(), name="validate"),
    path("trainers/", views.TrainersView.as_view(), name="trainers"),
    path("environments/", views.EnvironmentsView.as_view(), name="environments"),
    path("system/", views.SystemView.as_view(), name="system"),
    path("queue/", views.QueueView.as_view(), name="queue"),
]
