"""A trainer of a few lines, told by its arguments how to behave. Run as a script, alone or by the boot."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    options = parse()
    if options.note_environment:
        Path(options.note_environment).write_text(json.dumps(dict(os.environ)), encoding="utf-8")
    if options.ignore_interrupts:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if options.descendant:
        leave_descendant(options.descendant)
    if options.short_orphan:
        subprocess.run([sys.executable, "-c", SHORT_ORPHAN], check=True)
    for number in range(options.lines):
        say(f"line {number} äöü")
    say("training")
    if options.crash:
        raise ValueError("the trainer broke")
    if options.code is not None:
        return int(options.code)
    return train(options)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=0)
    parser.add_argument("--code", type=int)
    parser.add_argument("--crash", action="store_true")
    parser.add_argument("--ignore-interrupts", action="store_true")
    parser.add_argument("--descendant")
    parser.add_argument("--short-orphan", action="store_true")
    parser.add_argument("--note-environment")
    parser.add_argument("--until")
    parser.add_argument("--save-seconds", type=float, default=0.0)
    return parser.parse_args()


SHORT_ORPHAN = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.3)"], start_new_session=True)
"""


def leave_descendant(note: str) -> None:
    """Start what an environment is: a process in a session of its own that never ends by itself."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import time\nwhile True: time.sleep(60)"], start_new_session=True
    )
    Path(note).write_text(str(process.pid), encoding="utf-8")


def train(options: argparse.Namespace) -> int:
    try:
        while not (options.until and Path(options.until).exists()):
            time.sleep(0.02)
    except KeyboardInterrupt:
        say("interrupted")
        time.sleep(options.save_seconds)
        say("saved")
    return 0


if __name__ == "__main__":
    sys.exit(main())
