"""GPUs through NVML, which is played here; and a machine that has none."""

from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from sessions.supervisor import gpus
from sessions.supervisor.gpus import Gpus, GpuUse, of_processes

NOT_SUPPORTED = 3


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        self.value = value


class Nvml:
    """Two GPUs: what runs on them, and samples of (moment, process, percent)."""

    NVMLError = NVMLError
    NVML_SUCCESS = 0
    NVML_ERROR_NOT_FOUND = 6

    def __init__(self) -> None:
        self.computing: dict[int, dict[int, int | None]] = {0: {}, 1: {}}
        self.drawing: dict[int, dict[int, int | None]] = {0: {}, 1: {}}
        self.samples: dict[int, list[tuple[int, int, int]]] = {0: [], 1: []}
        self.silence: int | None = None

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        return number

    def nvmlDeviceGetName(self, device: int) -> str | bytes:
        return b"NVIDIA T4" if device else "NVIDIA A100"  # older packages give bytes

    def nvmlDeviceGetComputeRunningProcesses(self, device: int) -> list[Any]:
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.computing[device].items()]

    def nvmlDeviceGetGraphicsRunningProcesses(self, device: int) -> list[Any]:
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.drawing[device].items()]

    def nvmlDeviceGetProcessUtilization(self, device: int, since: int) -> list[Any]:
        if self.silence is not None:
            raise NVMLError(self.silence)
        if not self.samples[device]:
            raise NVMLError(self.NVML_ERROR_NOT_FOUND)
        return [SimpleNamespace(timeStamp=at, pid=pid, smUtil=share) for at, pid, share in self.samples[device]]


@pytest.fixture
def nvml() -> Nvml:
    return Nvml()


@pytest.fixture
def found(nvml: Nvml) -> Gpus:
    there = Gpus(load=lambda: nvml)
    there.find()
    return there


def test_the_gpus_are_named_in_the_order_of_their_numbers(found: Gpus) -> None:
    assert found.names == ["NVIDIA A100", "NVIDIA T4"]


def test_each_process_has_its_memory_and_its_mean_share_of_all_gpus(found: Gpus, nvml: Nvml) -> None:
    nvml.computing = {0: {7: 1000, 8: 50}, 1: {7: 200}}
    nvml.samples = {0: [(1, 7, 40), (2, 7, 60), (2, 8, 10)], 1: [(2, 7, 30)]}
    assert found.uses() == {7: GpuUse(80.0, 1200), 8: GpuUse(10.0, 50)}


def test_a_process_that_computes_and_draws_counts_once(found: Gpus, nvml: Nvml) -> None:
    nvml.computing[0] = nvml.drawing[0] = {7: 1000}
    assert found.uses()[7].memory == 1000


def test_samples_are_counted_once_and_who_rests_takes_nothing(found: Gpus, nvml: Nvml) -> None:
    nvml.computing[0] = {7: 1000}
    nvml.samples[0] = [(1, 7, 40)]
    assert found.uses()[7].percent == 40.0
    assert found.uses()[7].percent == 0.0
    nvml.samples[0] = []
    assert found.uses()[7].percent == 0.0
    nvml.silence = Nvml.NVML_SUCCESS  # what the package raises for an empty answer
    assert found.uses()[7].percent == 0.0


def test_what_the_driver_does_not_tell_is_unknown_and_not_nothing(found: Gpus, nvml: Nvml) -> None:
    nvml.computing[0] = {7: None}
    nvml.silence = NOT_SUPPORTED
    assert found.uses() == {7: GpuUse(None, None)}
    assert of_processes(found.uses(), [7]) == GpuUse(None, None)


def test_an_attempt_takes_what_its_processes_take(found: Gpus) -> None:
    uses = {7: GpuUse(40.0, 1000), 8: GpuUse(20.0, None), 9: GpuUse(90.0, 5)}
    assert of_processes(uses, [7, 8, 100]) == GpuUse(60.0, 1000)
    assert of_processes(uses, [100]) == GpuUse(None, None)


def test_without_a_driver_there_are_no_gpus_and_nothing_is_asked_again() -> None:
    asked: list[None] = []
    there = Gpus(load=lambda: asked.append(None))
    assert there.find() == []
    assert there.uses() == there.uses() == {}
    assert len(asked) == 1


def test_without_a_driver_the_package_is_not_even_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(gpus, "DRIVER", "libnobody-has-this.so.1")
    monkeypatch.setattr(importlib, "import_module", lambda name: pytest.fail(f"{name} was loaded"))
    assert gpus.load() is None


def test_a_driver_without_its_device_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_device() -> None:
        raise NVMLError(9)

    package = SimpleNamespace(NVMLError=NVMLError, nvmlInit=no_device)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(importlib, "import_module", lambda name: package)
    assert gpus.load() is None
