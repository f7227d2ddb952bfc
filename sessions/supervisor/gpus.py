"""NVIDIA's GPUs and what each process takes of them, through NVML; without its library there are none."""

from __future__ import annotations

import ctypes
import importlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

DRIVER = "libnvidia-ml.so.1"


@dataclass(frozen=True)
class GpuUse:
    """What a process takes of all GPUs: percent of one, bytes of memory; None where the driver does not tell."""

    percent: float | None = None
    memory: int | None = None


def load() -> Any | None:
    """Return NVML, ready to be asked, or None where there is no driver or no package for it."""
    try:
        if sys.platform != "win32":
            ctypes.CDLL(DRIVER)  # the package alone takes 16 MB, which a machine without a driver can keep
        nvml = importlib.import_module("pynvml")
    except (ImportError, OSError):
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    return nvml


@dataclass
class Gpus:
    """The GPUs of this machine. NVML is looked for once; a machine without it pays nothing from then on."""

    load: Callable[[], Any | None] = load
    names: list[str] = field(default_factory=list)
    _nvml: Any = None
    _devices: list[Any] = field(default_factory=list)
    # The driver keeps samples of the last seconds; those up to this moment were counted.
    _counted: dict[int, int] = field(default_factory=dict)

    def find(self) -> list[str]:
        """Return the names of the GPUs, in the order of their numbers."""
        self._nvml = self.load()
        if self._nvml is not None:
            with suppress(self._nvml.NVMLError):
                count = self._nvml.nvmlDeviceGetCount()
                self._devices = [self._nvml.nvmlDeviceGetHandleByIndex(number) for number in range(count)]
                self.names = [_text(self._nvml.nvmlDeviceGetName(device)) for device in self._devices]
        return self.names

    def uses(self) -> dict[int, GpuUse]:
        """Return what each process that is on a GPU takes, by its number; empty without GPUs."""
        memory: dict[int, int | None] = {}
        percent: dict[int, float] = {}
        for number, device in enumerate(self._devices):
            taken, shares = self._memory_on(device), self._percent_on(number, device)
            for pid in {*taken, *(shares or ())}:
                memory[pid] = _sum(memory.get(pid), taken.get(pid))
                if shares is not None:
                    percent[pid] = percent.get(pid, 0.0) + shares.get(pid, 0.0)
        return {pid: GpuUse(percent.get(pid), memory[pid]) for pid in memory}

    def _memory_on(self, device: Any) -> dict[int, int | None]:
        """Bytes by process; what computes and draws is listed twice and counted once."""
        found: dict[int, int | None] = {}
        asks = (self._nvml.nvmlDeviceGetComputeRunningProcesses, self._nvml.nvmlDeviceGetGraphicsRunningProcesses)
        for ask in asks:
            with suppress(self._nvml.NVMLError):
                found |= {one.pid: one.usedGpuMemory for one in ask(device)}
        return found

    def _percent_on(self, number: int, device: Any) -> dict[int, float] | None:
        """Mean percent by process since the last time, without those that rested; None when the driver cannot tell."""
        since = self._counted.get(number, 0)
        try:
            samples = self._nvml.nvmlDeviceGetProcessUtilization(device, since)
        except self._nvml.NVMLError as error:
            # Nothing to tell: said as "not found", and by some versions as a success without samples.
            return {} if error.value in (self._nvml.NVML_SUCCESS, self._nvml.NVML_ERROR_NOT_FOUND) else None
        self._counted[number] = max((one.timeStamp for one in samples), default=since)
        return _means(one for one in samples if one.timeStamp > since)


def of_processes(uses: dict[int, GpuUse], pids: Iterable[int]) -> GpuUse:
    """Return what these processes take together."""
    own = [uses[pid] for pid in pids if pid in uses]
    shares = [one.percent for one in own if one.percent is not None]
    taken = [one.memory for one in own if one.memory is not None]
    return GpuUse(sum(shares) if shares else None, sum(taken) if taken else None)


def _means(samples: Iterable[Any]) -> dict[int, float]:
    by_pid: dict[int, list[int]] = defaultdict(list)
    for one in samples:
        by_pid[one.pid].append(one.smUtil)
    return {pid: sum(values) / len(values) for pid, values in by_pid.items()}


def _sum(one: int | None, other: int | None) -> int | None:
    return one if other is None else (one or 0) + other


def _text(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
