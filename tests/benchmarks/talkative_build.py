"""A Unity stand-in that also prints lines with the time at which they were printed.

ML-Agents sends what a build prints to nowhere, so these lines go to the console that is named by `--console`, as one
write each to the end of the file, like the trainer's own.
"""

from __future__ import annotations

import random
import runpy
import sys
import threading
import time
from pathlib import Path

from sessions.trainers.standin.unity_standin import __file__ as STANDIN

PAUSE_SECONDS = (0.03, 0.17)


def talk(console: str) -> None:
    with open(console, "ab", buffering=0) as file:  # noqa: PTH123
        number = 0
        while True:
            time.sleep(random.uniform(*PAUSE_SECONDS))
            file.write(f"stamp {number} {time.time():.6f}\n".encode())
            number += 1


if __name__ == "__main__":
    prefix = "--console="
    path = next(one[len(prefix) :] for one in sys.argv if one.startswith(prefix))
    threading.Thread(target=talk, args=(path,), daemon=True).start()
    sys.path.insert(0, str(Path(STANDIN).parent))  # as when it is run by its path
    runpy.run_path(str(STANDIN), run_name="__main__")
