"""GPUs, their driver, and whether PyTorch of each trainer can use them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mentor_site.doctor.findings import WARNING, Finding, ok
from sessions.domain.preflight.installed import Installed, version_parts

CHOOSE = "Install a build of PyTorch for a CUDA that the driver has; pytorch.org names the command."


@dataclass(frozen=True)
class Gpus:
    """What NVML says. `memory` is in bytes, by number; `cuda` the newest that the driver has, such as (12, 4).

    `problem` is why the driver or NVML did not answer; `cards` counts NVIDIA's cards that the system sees, with or
    without a driver.
    """

    names: tuple[str, ...] = ()
    memory: tuple[int, ...] = ()
    driver: str = ""
    cuda: tuple[int, ...] = ()
    problem: str = ""
    cards: int = 0


def of_gpus(gpus: Gpus) -> Iterator[Finding]:
    """Which GPUs there are, and whether their driver answers."""
    title = "GPU"
    if gpus.problem:
        yield Finding(
            WARNING,
            title,
            f"NVIDIA's driver does not answer: {gpus.problem.rstrip('.')}.",
            "Trainings run on the CPU, and MENTOR cannot show what they take of a GPU.",
            "Run nvidia-smi; after an update of the driver, restart the machine.",
        )
    elif gpus.names:
        yield ok(title, f"{', '.join(_each(gpus))}. {_driver(gpus)}")
    elif gpus.cards:
        yield Finding(
            WARNING,
            title,
            f"The machine has {gpus.cards} NVIDIA card{'s' * (gpus.cards > 1)}, and no driver of NVIDIA's.",
            "Trainings run on the CPU.",
            "Install NVIDIA's driver, then restart the machine.",
        )
    else:
        yield ok(title, "There is no NVIDIA GPU; trainings run on the CPU, which suits small networks.")


def _each(gpus: Gpus) -> Iterator[str]:
    for number, name in enumerate(gpus.names):
        memory = f", {gpus.memory[number] / 1024**3:.0f} GB" if number < len(gpus.memory) else ""
        yield f"cuda:{number} is {name}{memory}"


def _driver(gpus: Gpus) -> str:
    cuda = f", which has CUDA {_dotted(gpus.cuda)}" if gpus.cuda else ""
    return f"Driver {gpus.driver}{cuda}." if gpus.driver else ""


def _dotted(parts: tuple[int, ...]) -> str:
    return ".".join(map(str, parts))


def of_torch(name: str, found: Installed, gpus: Gpus) -> Iterator[Finding]:
    """Whether a trainer's PyTorch can use the GPUs that there are."""
    torch = found.packages.get("torch", "")
    if found.problem or not torch:
        return
    title = f"PyTorch of {name}"
    wanted = version_parts(found.cuda or "")[:2]
    if gpus.names and found.cuda == "":
        yield Finding(
            WARNING,
            title,
            f"{gpus.names[0]} stays idle: PyTorch {torch} was built without CUDA.",
            "Trainings of this trainer run on the CPU.",
            CHOOSE,
        )
    elif gpus.names and gpus.cuda and wanted > gpus.cuda[:2] and "rocm" not in torch:
        yield _too_new(title, torch, wanted, gpus.cuda)
    else:
        built = f"for CUDA {found.cuda}" if found.cuda else "for the CPU"
        yield ok(title, f"{torch}, built {built if found.cuda is not None else 'for what could not be told'}.")


def _too_new(title: str, torch: str, wanted: tuple[int, ...], has: tuple[int, ...]) -> Finding:
    same_major = wanted[0] == has[0]
    return Finding(
        WARNING,
        title,
        f"PyTorch {torch} was built for CUDA {_dotted(wanted)}; the driver has CUDA {_dotted(has)}.",
        "That mostly works within one major version, and fails where a new kernel is needed."
        if same_major
        else "PyTorch finds no GPU then, and trains on the CPU.",
        f"Update NVIDIA's driver. Or: {CHOOSE}",
    )
