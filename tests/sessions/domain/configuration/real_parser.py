"""The parser of the installed mlagents, asked about many configurations in one process.

Reads a JSON list of texts from standard input and prints a JSON list: null for a text it takes, else what it said.
Run as a program it imports nothing of MENTOR.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def refusals(texts: Sequence[str]) -> list[str | None]:
    """Return what mlagents says about each text; None where it takes it."""
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__))],
        input=json.dumps(list(texts)),
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=300,
    )
    found: list[str | None] = json.loads(answer.stdout.splitlines()[-1])
    return found


def _refusal(text: str) -> str | None:
    """As RunOptions.from_argparse reads a file, with no options beside it."""
    import attr
    import yaml
    from mlagents.trainers.settings import RunOptions, TrainerSettings

    TrainerSettings.default_override = None  # from_dict leaves default_settings behind in the class
    read: dict[str, Any] = {
        name: {} for name in ("checkpoint_settings", "env_settings", "engine_settings", "torch_settings")
    }
    try:
        read.update(yaml.safe_load(text))
        unknown = [name for name in read if name not in attr.fields_dict(RunOptions)]
        if unknown:
            return f"unknown {unknown}"
        RunOptions.from_dict(read)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return None


def _main() -> None:
    import logging

    from mlagents.plugins.trainer_type import register_trainer_plugins

    register_trainer_plugins()
    logging.disable(logging.CRITICAL)
    sys.stdout.write("\n" + json.dumps([_refusal(text) for text in json.load(sys.stdin)]))


if __name__ == "__main__":
    sys.path.pop(0)
    _main()
