from django.urls import path

from sessions.pages import views

app_name = "sessions"

urlpatterns = [
    path("start/", views.new, name="new"),
    path("start/preview/", views.preview, name="preview"),
    path("start/browse/", views.browse, name="browse"),
    path("sessions/", views.session_list, name="list"),
    path("sessions/<str:run_id>/", views.session_page, name="detail"),
    path("sessions/<str:run_id>/console/", views.console_download, name="console"),
    path("sessions/<str:run_id>/stop/", views.stop, name="stop"),
    path("sessions/<str:run_id>/kill/", views.kill, name="kill"),
    path("sessions/<str:run_id>/resume/", views.resume, name="resume"),
    path("sessions/<str:run_id>/trash/", views.trash, name="trash"),
    path("sessions/<str:run_id>/restore/", views.restore, name="restore"),
    path("trainers/", views.trainers_page, name="trainers"),
    path("environments/", views.environments_page, name="environments"),
]
