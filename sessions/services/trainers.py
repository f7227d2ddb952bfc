"""Trainers: found, registered, probed."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from sessions.domain.numbers import natural
from sessions.errors import InvalidInput, NotAllowed
from sessions.models import Trainer
from sessions.trainers import installations
from sessions.trainers.kinds import PRACTICE_INTERPRETER


def discover() -> list[Trainer]:
    """Bring the trainers that need no registration up to date and return all trainers.

    The practice trainer is always there; mlagents-learn comes from the option or from PATH.
    """
    Trainer.objects.update_or_create(
        name="practice",
        defaults={
            "kind": "practice",
            "interpreter": PRACTICE_INTERPRETER,
            "origin": "bundled",
            "version": str(settings.SPECTACULAR_SETTINGS["VERSION"]),
            "problem": "",
            "probed_at": timezone.now(),
        },
    )
    _discover_mlagents()
    return list(Trainer.objects.all())


def _discover_mlagents() -> None:
    found = installations.find_learn(settings.MENTOR["MENTOR_MLAGENTS_LEARN"])
    if found is None:
        Trainer.objects.filter(name="mlagents").update(problem="mlagents-learn is no longer found on this machine.")
        return
    learn, origin = found
    interpreter = installations.interpreter_behind(learn)
    probe = (
        installations.probe(interpreter)
        if interpreter
        else installations.Probe(problem=f"MENTOR cannot tell which Python runs {learn}.")
    )
    _store("mlagents", interpreter or learn, origin, probe)


def _store(name: str, interpreter: Path, origin: str, probe: installations.Probe) -> Trainer:
    columns = {
        "kind": "mlagents",
        "interpreter": str(interpreter),
        "origin": origin,
        "version": probe.version,
        "python_version": probe.python_version,
        "torch_version": probe.torch_version,
        "problem": probe.problem,
        "probed_at": timezone.now(),
    }
    same = Trainer.objects.filter(kind="mlagents", interpreter=str(interpreter)).exclude(name=name).first()
    if same is not None:
        name = same.name
        columns["origin"] = same.origin
    return Trainer.objects.update_or_create(name=name, defaults=columns)[0]


def register(interpreter: str, *, name: str, by: User) -> Trainer:
    """Register an interpreter (or an mlagents-learn) and return its trainer.

    Raises NotAllowed, or InvalidInput when it cannot train with ML-Agents.
    """
    if not by.has_perm("training.manage_environment"):
        raise NotAllowed("You may not register trainers.", hint="Ask an administrator.")
    path = Path(interpreter.strip()).expanduser()
    python = _python_of(path)
    errors: dict[str, list[str]] = {}
    if not name.strip() or name.strip() in {"mlagents", "practice"}:
        errors["name"] = ["Give the trainer a name of its own."]
    elif Trainer.objects.filter(name=name.strip()).exclude(interpreter=str(python)).exists():
        errors["name"] = [f"There is a trainer {name} already."]
    probe = installations.probe(python) if python else installations.Probe(problem=f"There is no program {path}.")
    if probe.problem:
        errors["interpreter"] = [probe.problem]
    if errors or python is None:
        raise InvalidInput("The trainer was not registered.", errors=errors)
    return _store(name.strip(), python, "registered", probe)


def _python_of(path: Path) -> Path | None:
    """Keep links: an environment's python is often a link to the one it was made with."""
    if not path.is_absolute() or not path.is_file():
        return None
    return installations.interpreter_behind(path) if "mlagents-learn" in path.name else path


def choose(wanted: str | int | None) -> Trainer | None:
    """Return the trainer of that name or id; without one, mlagents-learn when there is a usable one, else practice."""
    if wanted not in (None, ""):
        by_name = Trainer.objects.filter(name=str(wanted)).first()
        key = natural(str(wanted), most_digits=18)
        return by_name or (Trainer.objects.filter(pk=key).first() if key is not None else None)
    usable = {trainer.name: trainer for trainer in Trainer.objects.filter(problem="")}
    if "mlagents" in usable:
        return usable["mlagents"]
    registered = next((trainer for trainer in usable.values() if trainer.kind == "mlagents"), None)
    return registered or usable.get("practice")
