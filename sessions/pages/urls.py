from django.urls import path

from sessions.pages import imports, views
from sessions.services.actions import ACTIONS

app_name = "sessions"

urlpatterns = [
    path("start/", views.new, name="new"),
    path("start/preview/", views.preview, name="preview"),
    path("start/browse/", views.browse, name="browse"),
    path("sessions/", views.session_list, name="list"),
    path("sessions/<str:run_id>/", views.session_page, name="detail"),
    path("sessions/<str:run_id>/rules/", views.change_rules, name="rules"),
    path("sessions/<str:run_id>/console/", views.console_download, name="console"),
    *(path(f"sessions/<str:run_id>/{action}/", views.act, {"action": action}, name=action) for action in ACTIONS),
    path("sessions/<str:run_id>/move/", views.move, name="move"),
    path("sessions/<str:run_id>/schedule/", views.set_schedule, name="schedule"),
    path("import/", imports.imports_page, name="imports"),
    path("import/<int:key>/follow/", imports.follow_import, name="follow"),
    path("queue/", views.queue_page, name="queue"),
    path("trainers/", views.trainers_page, name="trainers"),
    path("environments/", views.environments_page, name="environments"),
]
