"""The one door: http to Django, websockets to the live feed."""

from __future__ import annotations

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mentor_site.settings")
http = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402 - needs Django's apps
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from mentor_site.origins import App, SameOrigin  # noqa: E402
from sessions.live.routing import urlpatterns  # noqa: E402

# A page of the history leaves some thousand objects that refer to each other. By Python's own threshold of 700, every
# thirteenth answer waited 50 to 100 ms for a look through everything there is; by this one, for 3 MB, none does.
gc.set_threshold(20_000, 10, 10)

live: App = AuthMiddlewareStack(URLRouter(urlpatterns))  # type: ignore[arg-type, assignment]
application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": SameOrigin(live, settings.ALLOWED_HOSTS),
    }
)
