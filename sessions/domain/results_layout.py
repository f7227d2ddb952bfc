"""Finding the runs in a folder of results, whoever wrote it: names in, runs out; nothing is opened here.

ML-Agents has written its results in four ways (`FORMATS`): up to 0.16 event files are in `summaries/<run>_<brain>/`
beside `models/`; from 0.17 on everything of a run is in `results/<run>/`, with a folder for each behavior. Stable
Baselines3 and CleanRL give each run one folder. Which of them wrote a folder is told by the tags in its event files.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from sessions.domain.numbers import natural

MARK = ".tfevents."
CONFIGURATION, RUN_LOGS = "configuration.yaml", "run_logs"
STATUS, TIMERS = "training_status.json", "timers.json"
SUMMARIES, MODELS = "summaries", "models"
MODEL_SUFFIXES = (".onnx", ".pt", ".nn", ".ckpt", ".cptk")
NAME_CHARACTERS = 255
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# A run has a few behaviors; a folder with more folders than this is a collection of runs.
MOST_BEHAVIORS = 256
# What stands in the first bytes of event files, by who wrote them; the first that fits.
SIGNS = (
    ("mlagents", (b"Environment/", b"Policy/", b"Losses/", b"Hyperparameters/text_summary", b"Info/cumulative_reward")),
    ("cleanrl", (b"charts/",)),
    ("sb3", (b"rollout/", b"time/fps")),
)
RESULTS_BEFORE_0_19 = re.compile(r"model-\d+\.ckpt")
CLEANRL_NAME = re.compile(r"(?P<environment>.+?)__.+__\d+(?:__\d+)?")
SB3_NAME = re.compile(r"(?P<algorithm>.+)_\d+")


class Family(str, Enum):
    """Who wrote event files."""

    MLAGENTS = "mlagents"
    SB3 = "sb3"
    CLEANRL = "cleanrl"
    OTHER = "other"


FORMATS = {
    "summaries": "ML-Agents up to 0.16",
    "results-0.17": "ML-Agents 0.17 or 0.18",
    "results-0.19": "ML-Agents 0.19 to 0.23",
    "results": "ML-Agents 0.24 or later",
    "events": "event files of ML-Agents",
    "sb3": "Stable-Baselines3",
    "cleanrl": "CleanRL",
    "other": "event files",
}
REWARD_TAGS = (
    "Environment/Group Cumulative Reward",
    "Environment/Cumulative Reward",
    "Info/cumulative_reward",
    "rollout/ep_rew_mean",
    "charts/episodic_return",
)


# ML-Agents' last event and its status are written within the same moments.
END_SECONDS = 5.0


@dataclass(frozen=True)
class File:
    """A file as a listing shows it; `path` is below the folder that was given to be searched."""

    path: PurePosixPath
    size: int
    modified_ns: int

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True)
class Folder:
    """What of a folder's listing can matter to a run. `cut` is one with so many entries that some were left out."""

    path: PurePosixPath
    name: str
    events: tuple[File, ...] = ()
    others: tuple[File, ...] = ()
    folders: tuple[str, ...] = ()
    cut: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset(file.name for file in self.others)


@dataclass(frozen=True)
class EventLog:
    """An event file of a run, and whose it is."""

    file: File
    behavior: str


@dataclass(frozen=True)
class FoundRun:
    """A run: `results` is its folder, below the one that was searched, and all its event files are below that."""

    name: str
    results: PurePosixPath
    family: Family
    format: str
    logs: tuple[EventLog, ...]
    others: tuple[File, ...] = ()
    cut: bool = False

    @property
    def keeps_to_itself(self) -> bool:
        """Whether the folder holds this run and nothing else, and all of it was seen."""
        return self.format in ("results", "results-0.19", "results-0.17") and not self.cut

    @property
    def has_models(self) -> bool:
        """Whether there are models and checkpoints that are this run's."""
        return self.keeps_to_itself and any(file.name.endswith(MODEL_SUFFIXES) for file in self.others)

    @property
    def tells_its_end(self) -> bool:
        """Whether ML-Agents leaves something in this layout when it ends as it should."""
        return self.format in ("results", "results-0.19")

    @property
    def behaviors(self) -> list[str]:
        return sorted({log.behavior for log in self.logs})

    @property
    def stamp(self) -> str:
        """A digest of names, sizes and times: it changes when there may be something new to read."""
        above = len(self.results.parts)
        seen = sorted((one.path.parts[above:], one.size, one.modified_ns) for one in self.files())
        return hashlib.sha256(repr(seen).encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def files(self) -> Iterator[File]:
        """Yield every file that is known of the run."""
        yield from (log.file for log in self.logs)
        yield from self.others

    @property
    def last_written(self) -> float:
        """When an event file was last written to, in seconds since the epoch."""
        return max((log.file.modified_ns for log in self.logs), default=0) / 1e9

    def other(self, name: str) -> File | None:
        """Return the file of that name beside the event files, if there is one."""
        return next((file for file in self.others if file.name == name), None)

    @property
    def ended_well(self) -> bool:
        """Whether ML-Agents wrote what it writes at its end, after the last event."""
        status = self.other(STATUS)
        return status is not None and status.modified_ns / 1e9 >= self.last_written - END_SECONDS


FamilyOf = Callable[[Folder], Family]


def is_event_file(name: str) -> bool:
    """Tell whether a file of this name holds events."""
    return MARK in name


def matters(name: str) -> bool:
    """Tell whether a file of this name, beside event files, says something of a run."""
    return name in (CONFIGURATION, STATUS, TIMERS) or name.endswith(("_timers.json", *MODEL_SUFFIXES))


def family_of(head: bytes) -> Family:
    """Return who wrote an event file, by its first bytes."""
    return Family(next((name for name, signs in SIGNS if any(sign in head for sign in signs)), "other"))


def shown(name: str) -> str:
    """Return a name from a disk as it can be stored and shown: of bounded length, without control characters."""
    return "".join(character if character.isprintable() else REPLACEMENT for character in name[:NAME_CHARACTERS])


def may_be_a_run(folder: Folder) -> bool:
    """Tell whether the folders in this one could be the behaviors of one run."""
    return _has_traits(folder) or len(folder.folders) <= MOST_BEHAVIORS


def is_summaries(folder: Folder) -> bool:
    """Tell whether this folder is named as that in which ML-Agents up to 0.16 kept the summaries of all runs."""
    return folder.name == SUMMARIES


def find_runs(
    folder: Folder,
    children: Sequence[Folder],
    family: FamilyOf,
    *,
    logs: Folder | None = None,
    old_models: Iterable[str] = (),
) -> list[FoundRun]:
    """Return the runs of which the event files are in `children`, the folders in `folder`.

    `logs` is the folder's `run_logs`; `old_models` are the names in the `models` folder beside a `summaries` folder.
    """
    written = [child for child in children if child.events]
    ours = [child for child in written if _is_of_mlagents(folder, child, family)]
    others = [child for child in written if child not in ours]
    runs = [alone(child, family(child)) for child in others]
    if is_summaries(folder) and not _has_traits(folder):
        return [*_old_runs(folder, ours, old_models), *runs]
    if ours and (_has_traits(folder) or logs is not None or _belong_together(ours)):
        return [_run(folder, ours, logs), *runs]
    return [*(alone(child, Family.MLAGENTS) for child in ours), *runs]


def alone(folder: Folder, family: Family) -> FoundRun:
    """Return the run whose event files are in this very folder."""
    behavior = shown(_behavior_named(folder.name, family))
    return FoundRun(
        name=folder.name,
        results=folder.path,
        family=family,
        format="events" if family is Family.MLAGENTS else family.value,
        logs=tuple(EventLog(file, behavior) for file in folder.events),
        others=folder.others,
        cut=folder.cut,
    )


def _behavior_named(name: str, family: Family) -> str:
    """CleanRL names the environment in its folder, SB3 the algorithm; both train one policy in a run."""
    if family is Family.CLEANRL and (found := CLEANRL_NAME.fullmatch(name)):
        return found["environment"]
    if family is Family.SB3 and (found := SB3_NAME.fullmatch(name)):
        return found["algorithm"]
    return name


def _is_of_mlagents(folder: Folder, child: Folder, family: FamilyOf) -> bool:
    """Tags decide; a file without any known tag belongs to the run in whose folder it is."""
    told = family(child)
    if told is not Family.OTHER:
        return told is Family.MLAGENTS
    return _has_traits(folder) or _is_behavior(child)


def _has_traits(folder: Folder) -> bool:
    return CONFIGURATION in folder.names or RUN_LOGS in folder.folders


def _is_behavior(folder: Folder) -> bool:
    saved = re.compile(rf"checkpoint\.pt|{re.escape(folder.name)}-\d+\.(?:onnx|nn|pt|ckpt)")
    return any(saved.fullmatch(name) for name in folder.names)


def _belong_together(members: Sequence[Folder]) -> bool:
    """Tell whether folders are the behaviors of one run, by nothing but the processes that wrote them."""
    if len(members) == 1:
        return True
    seen: list[set[str]] = [{writer_of(file.name) for file in member.events} for member in members]
    return all(any(one & other for other in seen if other is not one) for one in seen)


def _run(folder: Folder, members: Sequence[Folder], logs: Folder | None) -> FoundRun:
    others = [*folder.others, *(logs.others if logs else ()), *(file for one in members for file in one.others)]
    return FoundRun(
        name=folder.name,
        results=folder.path,
        family=Family.MLAGENTS,
        format=_format_of(file.name for file in others),
        logs=tuple(EventLog(file, shown(member.name)) for member in members for file in member.events),
        others=tuple(others),
        cut=folder.cut or any(member.cut for member in members),
    )


def _format_of(names: Iterable[str]) -> str:
    """Tell the layouts of a results folder apart by the models they hold; without any it is today's."""
    seen = list(names)
    if any(RESULTS_BEFORE_0_19.match(name) for name in seen):
        return "results-0.17"
    return "results-0.19" if any(name.endswith(".nn") for name in seen) else "results"


def _old_runs(folder: Folder, children: Sequence[Folder], models: Iterable[str]) -> list[FoundRun]:
    timed = {file.name[: -len("_timers.json")] for file in folder.others if file.name.endswith("_timers.json")}
    known = sorted({re.sub(r"-0\Z", "", name) for name in models} | timed, key=len, reverse=True)
    members: dict[str, list[tuple[str, Folder]]] = {}
    for child in children:
        run, brain = _old_name(child.name, known)
        members.setdefault(run, []).append((brain, child))
    return [_old_run(folder, run, found) for run, found in members.items()]


def _old_name(name: str, known: Iterable[str]) -> tuple[str, str]:
    """Run and brain of a folder of summaries; both may have underscores, so that known runs help."""
    run = next((one for one in known if name == one or name.startswith(f"{one}_")), None)
    if run is None:
        run = name.rpartition("_")[0] or name
    return run, name[len(run) + 1 :] or name


def _old_run(folder: Folder, run: str, members: Sequence[tuple[str, Folder]]) -> FoundRun:
    results = members[0][1].path if len(members) == 1 else folder.path
    return FoundRun(
        name=run,
        results=results,
        family=Family.MLAGENTS,
        format="summaries",
        logs=tuple(EventLog(file, shown(brain)) for brain, member in members for file in member.events),
        others=tuple(file for file in folder.others if file.name == f"{run}_timers.json"),
        cut=any(member.cut for _, member in members),
    )


def begun(name: str) -> int:
    """Return when an event file was begun, in seconds since the epoch; 0 when its name does not say."""
    return natural(name.partition(MARK)[2].split(".")[0], most_digits=10) or 0


def writer_of(name: str) -> str:
    """Return host and process that wrote an event file, as its name tells them: `<time>.<host>.<pid>.<n>`.

    Old TensorFlow names the host alone, and hosts may have dots in their names.
    """
    _, _, rest = name.partition(MARK)[2].partition(".")
    return re.sub(r"\.\d+(\.v2)?\Z", "", rest) if re.search(r"\.\d+\.\d+(\.v2)?\Z", rest) else rest


def starts(logs: Iterable[EventLog]) -> list[list[EventLog]]:
    """Return the event files of each start of a run, in the order of time.

    One process is one start. A process number may come again (in a container it always does), and old names have
    none: where a behavior begins another file at another time, it is another start.
    """
    found: list[list[EventLog]] = []
    for log in sorted(logs, key=lambda one: (begun(one.file.name), one.file.path)):
        same = next((start for start in reversed(found) if _continues(start, log)), None)
        if same is None:
            found.append([log])
        else:
            same.append(log)
    return found


def _continues(start: Sequence[EventLog], log: EventLog) -> bool:
    if writer_of(start[0].file.name) != writer_of(log.file.name):
        return False
    again = (one for one in start if one.behavior == log.behavior)
    return all(begun(one.file.name) == begun(log.file.name) for one in again)
