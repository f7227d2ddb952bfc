"""The live feed: each page says what it has, gets what it lacks, and goes on from there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from dataclasses import asdict
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error

from sessions.errors import MentorError
from sessions.live.cursor import Cursor, Follow, read_follow
from sessions.live.pulse import pulse
from sessions.live.views import dashboard_now, may_watch, session_since

logger = logging.getLogger(__name__)

TAIL_SECONDS = 0.05
# A dashboard, and the page of a session that has ended, are in no hurry.
REST_SECONDS = 0.25
CHECK_SECONDS = 60.0
UNKNOWN, ANONYMOUS, FORBIDDEN = 4400, 4401, 4404
BROKEN = 4500


class PageGone(Exception):
    """The page has left, or its connection is lost."""


class Feed(AsyncWebsocketConsumer):
    """A signed-in page that is told what is new, over and over, until it goes away."""

    _pump: asyncio.Task[None] | None = None

    @property
    def user_pk(self) -> int:
        """Whose page this is; 0, which is nobody's, when nobody is signed in."""
        user = self.scope["user"]
        return int(user.pk) if user is not None and user.is_authenticated else 0

    async def connect(self) -> None:
        if not self.user_pk:
            await self.close(ANONYMOUS)
        elif not await self.allowed():
            await self.close(FORBIDDEN)
        else:
            await self.accept()
            await self.welcome()

    async def welcome(self) -> None:
        """Begin what needs no word from the page."""

    async def allowed(self) -> bool:
        """Tell whether the user may (still) watch this."""
        return await database_sync_to_async(may_watch)(self.user_pk, None)

    async def run(self) -> None:
        """Send what is new until cancelled."""
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        await self.halt()

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        with contextlib.suppress(OSError):  # it has left already
            await super().close(code, reason)

    async def halt(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None

    async def begin(self) -> None:
        await self.halt()
        self._pump = asyncio.create_task(self._guarded())

    async def _guarded(self) -> None:
        try:
            with pulse:
                await self.run()
        except PageGone:
            pass
        except MentorError:
            await self.frame({"type": "gone"})
            await self.close(FORBIDDEN)
        except Error as error:
            logger.warning("%s: %s; its page will ask again", self.scope["path"], error)
            await self.close(BROKEN)
        except Exception:
            # A page whose feed ended in silence would look live for ever; a closed one comes back.
            logger.exception("%s: this feed ended; its page will ask again", self.scope["path"])
            await self.close(BROKEN)

    async def frame(self, content: dict[str, Any]) -> None:
        """Send a frame, once the page has taken those before, so that a slow one costs no memory.

        Raises PageGone when it has left.
        """
        text = json.dumps(content, cls=DjangoJSONEncoder, allow_nan=False)
        try:
            await self.send(text_data=text)
        except OSError as error:
            raise PageGone from error


class SessionFeed(Feed):
    """`/ws/sessions/{run_id}/`: console from the file by byte offset, state and points from the database by cursor."""

    cursor: Cursor

    @property
    def run_id(self) -> str:
        return str(self.scope["url_route"]["kwargs"]["run_id"])

    async def allowed(self) -> bool:
        return await database_sync_to_async(may_watch)(self.user_pk, self.run_id)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        follow = read_follow(text_data or "")
        if follow is None:
            await self.close(UNKNOWN)
            return
        await self.follow(follow)

    async def follow(self, follow: Follow) -> None:
        await self.halt()
        self.cursor = Cursor(follow)
        await self.begin()

    async def run(self) -> None:
        beat, more = -1, False
        checked = time.monotonic()
        while True:
            if (now := pulse.beat()) != beat or more:
                beat = now
                more = await self._database()
            await self._console()
            if time.monotonic() - checked > CHECK_SECONDS:
                checked = time.monotonic()
                if not await self.allowed():
                    await self.close(FORBIDDEN)
                    return
            await asyncio.sleep(REST_SECONDS if self.cursor.ended else TAIL_SECONDS)

    async def _database(self) -> bool:
        """Send what the database knows; return whether there are further points already."""
        news = await database_sync_to_async(session_since)(
            self.user_pk, self.run_id, self.cursor.version, self.cursor.points
        )
        if news is None:
            return False
        # With more to come the version is not taken for seen.
        self.cursor.version = -1 if news.more else news.version
        self.cursor.points = news.points_cursor
        self.cursor.watch(news.attempt, news.console, ended=news.ended)
        if news.series:
            await self.frame({"type": "points", "cursor": news.points_cursor, "series": news.series})
        state = {"cursor": news.version, "session": asdict(news.session), "marks": news.marks}
        await self.frame({"type": "state", **state})
        return news.more

    async def _console(self) -> None:
        while (part := self.cursor.read()) is not None:
            await self.frame({"type": "log", **asdict(part)})
            await asyncio.sleep(0)


class DashboardFeed(Feed):
    """`/ws/dashboard/`: all that runs or waits, whenever it changes."""

    async def welcome(self) -> None:
        await self.begin()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is asked of the dashboard's feed."""

    async def run(self) -> None:
        beat, sent, number = -1, "", 0
        while True:
            if (now := pulse.beat()) != beat:
                beat = now
                shapes = await database_sync_to_async(dashboard_now)(self.user_pk)
                text = json.dumps(shapes, cls=DjangoJSONEncoder)
                if text != sent:
                    sent, number = text, number + 1
                    await self.frame({"type": "sessions", "cursor": number, "sessions": shapes})
            await asyncio.sleep(REST_SECONDS)
