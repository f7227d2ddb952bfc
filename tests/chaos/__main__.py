"""`python -m tests.chaos --seed 1 --attempts 500 --trainer practice`: trainings under faults, and what must hold.

Prints its seed, a line for each attempt that ends, every violation and a summary. Exit code 1 for a violation.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--attempts", type=int, default=50, help="so many attempts, resumes included (default: 50)")
    parser.add_argument("--trainer", choices=("practice", "mlagents"), default="practice")
    parser.add_argument("--slots", type=int, help="trainings at the same time (default: 6, with mlagents 3)")
    parser.add_argument("--calm", type=float, default=0.7, help="mean seconds between two faults (default: 0.7)")
    parser.add_argument("--folder", type=Path, help="where to keep everything (default: a new temporary folder)")
    options = parser.parse_args()
    options.slots = options.slots or (6 if options.trainer == "practice" else 3)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="mentor-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    use_home(folder / "var")
    from tests.chaos.play import play

    return play(folder, options)


def use_home(home: Path) -> None:
    """Let Django see this home's database, as the processes under test do."""
    os.environ["MENTOR_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "mentor_site.settings"
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main())
