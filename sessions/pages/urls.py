from django.urls import path

from sessions.pages import history, keeping, views
from sessions.services.actions import ACTIONS

app_name = "sessions"

urlpatterns = [
    path("start/", views.new, name="new"),
    path("start/preview/", views.preview, name="preview"),
    path("start/browse/", views.browse, name="browse"),
    path("sessions/", views.session_list, name="list"),
    path("sessions/<str:run_id>/", views.session_page, name="detail"),
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
    path("queue/", views.queue_page, name="queue"),
    path("trainers/", views.trainers_page, name="trainers"),
    path("environments/", views.environments_page, name="environments"),
]
