"""What `manage.py up` becomes once everything is prepared: a small process that knows no Django.

It starts web, worker and supervisor, says where MENTOR is, starts again what dies, and ends them in order.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import webbrowser
from pathlib import Path

from mentor_site.house import House, interruptible
from mentor_site.options import BASE_DIR
from sessions.runtime.locks import FileLock


def become(arguments: list[str]) -> int:
    """Go on as the minder and return its exit code; where the system can, this very process becomes it."""
    argv = [sys.executable, "-m", "mentor_site.minder", *arguments]
    os.chdir(BASE_DIR)
    if sys.platform == "win32":
        return main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, argv)  # noqa: S606 - our own interpreter and module
    return 0


def main(arguments: list[str]) -> int:
    """Keep MENTOR running until told to stop."""
    parser = argparse.ArgumentParser(prog="manage.py up")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--link", required=True)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--stop-trainings", action="store_true")
    parser.add_argument("--without-web", action="store_true")
    options = parser.parse_args(arguments)
    lock = FileLock(options.home / "up.lock")
    if not lock.acquire():
        say(f"MENTOR already runs for {options.home}. Use it, or stop it first.")
        return 1
    house = House.at(options.host, options.port, say=say, with_web=not options.without_web)
    with interruptible(house.minder):
        try:
            return mind(house, options)
        finally:
            house.minder.close()
            lock.release()


def mind(house: House, options: argparse.Namespace) -> int:
    """Start everything, say where it is, and stay."""
    house.minder.start()
    if not house.wait_until_ready():
        if not house.minder.stopped:
            say("The web process did not answer within a minute; its messages are above.")
        return 0 if house.minder.stopped else 1
    welcome(options.link, browser=options.browser)
    house.minder.run_until(lambda: False)
    if options.stop_trainings:
        with subprocess.Popen([sys.executable, str(BASE_DIR / "manage.py"), "stop", "--all"]) as stopping:  # noqa: S603
            house.minder.resume()
            house.minder.run_until(lambda: stopping.poll() is not None)
    return 0


def welcome(link: str, *, browser: bool) -> None:
    """Say where MENTOR is, and show it."""
    print(f"\nMENTOR is ready. Sign in once within 15 minutes:\n\n  {link}\n", flush=True)  # noqa: T201
    print("Ctrl-C stops MENTOR; trainings go on.", flush=True)  # noqa: T201
    if browser and has_desktop():
        webbrowser.open(link)


def has_desktop() -> bool:
    """Tell whether a browser would open in a window; in a bare terminal one would take the terminal over."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def say(sentence: str) -> None:
    """Tell the terminal."""
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
