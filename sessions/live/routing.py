from django.urls import path

from sessions.live.consumers import DashboardFeed, SessionFeed

urlpatterns = [
    path("ws/sessions/<str:run_id>/", SessionFeed.as_asgi()),
    path("ws/dashboard/", DashboardFeed.as_asgi()),
]
