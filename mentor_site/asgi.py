"""The one door: http to Django, websockets to the live feed."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mentor_site.settings")
http = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402 - needs Django's apps
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from mentor_site.origins import App, SameOrigin  # noqa: E402
from sessions.live.routing import urlpatterns  # noqa: E402

live: App = AuthMiddlewareStack(URLRouter(urlpatterns))  # type: ignore[arg-type, assignment]
application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": SameOrigin(live, settings.ALLOWED_HOSTS),
    }
)
