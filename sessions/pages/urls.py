from django.urls import path

from sessions.pages import checkpoints, diagnosis, evaluations, files, history, imports, keeping, preflight, views
from sessions.services.actions import ACTIONS

app_name = "sessions"

urlpatterns = [
    path("start/", views.new, name="new"),
    path("start/preview/", views.preview, name="preview"),
    path("start/preflight/", preflight.check, name="preflight"),
    path("start/browse/", views.browse, name="browse"),
    path("sessions/", views.session_list, name="list"),
    path("sessions/<str:run_id>/", views.session_page, name="detail"),
    path("sessions/<str:run_id>/files/", files.files_page, name="files"),
    path("sessions/<str:run_id>/edit/", history.edit, name="edit"),
    path("bulk/", history.change_many, name="bulk"),
    path("trash/", keeping.empty_page, name="empty"),
    path("retention/", keeping.retention_page, name="retention"),
    path("behaviors/", history.behaviors_page, name="behaviors"),
    path("projects/", history.projects_page, name="projects"),
    path("sessions/<str:run_id>/rules/", views.change_rules, name="rules"),
    path("sessions/<str:run_id>/console/", views.console_download, name="console"),
    *(path(f"sessions/<str:run_id>/{action}/", views.act, {"action": action}, name=action) for action in ACTIONS),
    path("sessions/<str:run_id>/move/", views.move, name="move"),
    path("sessions/<str:run_id>/schedule/", views.set_schedule, name="schedule"),
    path("sessions/<str:run_id>/checkpoints/look/", checkpoints.look, name="look"),
    path("sessions/<str:run_id>/checkpoints/<int:key>/release/", checkpoints.release, name="release-checkpoint"),
    path("sessions/<str:run_id>/checkpoints/<int:key>/take-back/", checkpoints.take_back, name="take-back"),
    path("sessions/<str:run_id>/checkpoints/<int:key>/resume/", checkpoints.resume_from, name="resume-from"),
    path("sessions/<str:run_id>/evaluate/", evaluations.evaluate, name="evaluate"),
    path("checkpoints/", checkpoints.library, name="checkpoints"),
    path("checkpoints/<int:key>/forget/", checkpoints.forget, name="forget-checkpoint"),
    path("sessions/<str:run_id>/remedy/", diagnosis.apply_remedy, name="remedy"),
    path("import/", imports.imports_page, name="imports"),
    path("import/<int:key>/follow/", imports.follow_import, name="follow"),
    path("queue/", views.queue_page, name="queue"),
    path("causes/", diagnosis.causes_page, name="causes"),
    path("causes/<int:key>/forget/", diagnosis.forget, name="forget"),
    path("trainers/", views.trainers_page, name="trainers"),
    path("environments/", views.environments_page, name="environments"),
]
