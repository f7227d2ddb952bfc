"""What mlagents-learn 1.1.0 prints, line by line."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

FIRST_LINE = "MENTOR practice trainer: a small learner of its own behind mlagents-learn's command line and files."
VERSION = "1.1.0"
ENVS_VERSION = "1.1.0"
API_VERSION = "1.5.0"
TORCH_VERSION = "0.0.0+practice"
PACKAGE_VERSION = "3.0.0-practice"
INTERRUPTED = "Learning was interrupted. Please wait while the graph is generated."
FLOOD_SECONDS = 0.02


class Console:
    """Writes whole lines, each flushed, also from several threads."""

    lock = threading.Lock()

    def write(self, text: str) -> None:
        """Print `text` and a line break; what the console cannot show is escaped."""
        stream = sys.stdout
        encoding = stream.encoding or "utf-8"
        text = text.encode(encoding, errors="backslashreplace").decode(encoding)
        with self.lock:
            stream.write(text + "\n")
            stream.flush()

    def say(self, text: str, *, level: str = "INFO") -> None:
        self.write(f"[{level}] {text}")

    def flood(self, lines_per_second: float) -> None:
        """Print numbered lines for ever, from a thread of their own."""
        threading.Thread(target=self._flood, args=(lines_per_second,), daemon=True).start()

    def _flood(self, lines_per_second: float) -> None:
        start, number = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - start) * lines_per_second)
            if due > number:
                self.write("\n".join(f"flood {line:09d}" for line in range(number, due)))
                number = due
            time.sleep(FLOOD_SECONDS)


def version_block() -> str:
    return (
        f" Version information:\n  ml-agents: {VERSION},\n  ml-agents-envs: {ENVS_VERSION},\n"
        f"  Communicator API: {API_VERSION},\n  PyTorch: {TORCH_VERSION}"
    )


def summary_line(
    behavior: str, step: int, elapsed: float, rewards: tuple[float, float] | None, *, learns: bool = True
) -> str:
    """Return a summary; `rewards` are mean and standard deviation of the episodes that ended, if any did."""
    head, tail = (
        f"{behavior}. Step: {step}. Time Elapsed: {elapsed:0.3f} s. ",
        "Training." if learns else "Not Training.",
    )
    if rewards is None:
        return head + f"No episode was completed since last summary. {tail}"
    return head + f"Mean Reward: {rewards[0]:0.3f}. Std of Reward: {rewards[1]:0.3f}. {tail}"


def tree(values: Any, depth: int = 0) -> str:
    """Return nested settings as the Hyperparameters block shows them."""
    if not isinstance(values, dict):
        return str(values)
    lines = ["\t" + "  " * depth + f"{name}:\t{tree(value, depth + 1)}" for name, value in values.items()]
    return ("\n" if depth else "") + "\n".join(lines)


def hyperparameters_block(behavior: str, settings: dict[str, Any]) -> str:
    return f"Hyperparameters for behavior name {behavior}: \n{tree(settings)}"
