from django.urls import path

from sessions.live.consumers import DashboardFeed, SessionFeed

urlpatterns = [
    path("ws/sessions/<str:run_id>/", SessionFeed.as_asgi()),  # type: ignore[arg-type]
    path("ws/dashboard/", DashboardFeed.as_asgi()),  # type: ignore[arg-type]
]
