"""A program that asks NVIDIA's driver about its GPUs and prints the answer as JSON.

A driver that hangs or crashes takes this process along, and no other.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import sys
from contextlib import suppress
from typing import Any

from sessions.supervisor.gpus import DRIVER


def answer(nvml: Any) -> dict[str, Any]:
    """Return what NVML says: names, memory in bytes, driver, newest CUDA; or why it says nothing."""
    try:
        nvml.nvmlInit()
        devices = [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
        said: dict[str, Any] = {
            "names": [_text(nvml.nvmlDeviceGetName(one)) for one in devices],
            "driver": _text(nvml.nvmlSystemGetDriverVersion()),
        }
        with suppress(nvml.NVMLError):
            said["memory"] = [int(nvml.nvmlDeviceGetMemoryInfo(one).total) for one in devices]
        with suppress(nvml.NVMLError, AttributeError):
            version = int(nvml.nvmlSystemGetCudaDriverVersion())
            said["cuda"] = [version // 1000, version % 1000 // 10]
    except nvml.NVMLError as error:
        return {"problem": str(error)}
    return said


def main() -> None:
    """Print the answer; an empty one when there is no driver."""
    try:
        if sys.platform != "win32":
            ctypes.CDLL(DRIVER)
        nvml = importlib.import_module("pynvml")
        said = answer(nvml)
    except OSError:
        said = {}
    except ImportError:
        said = {"problem": "the package nvidia-ml-py is missing from MENTOR's environment"}
    sys.stdout.write(json.dumps(said) + "\n")


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


if __name__ == "__main__":
    main()
