"""The catalogue: every known cause, in the order in which they are preferred within a phase."""

from __future__ import annotations

from sessions.domain.diagnosis.command_line import COMMAND_LINE
from sessions.domain.diagnosis.configuration import CONFIGURATION
from sessions.domain.diagnosis.crashes import CRASHES
from sessions.domain.diagnosis.entries import Entry
from sessions.domain.diagnosis.environment import ENVIRONMENT
from sessions.domain.diagnosis.installation import INSTALLATION
from sessions.domain.diagnosis.installers import INSTALLERS
from sessions.domain.diagnosis.numbers_and_devices import DEVICES, NUMBERS
from sessions.domain.diagnosis.packages import PACKAGES
from sessions.domain.diagnosis.programs import PROGRAMS
from sessions.domain.diagnosis.run_folder import RUN_FOLDER
from sessions.domain.diagnosis.saving import SAVING
from sessions.domain.diagnosis.training import TRAINING

CATALOGUE: tuple[Entry, ...] = (
    *INSTALLATION, *INSTALLERS, *PACKAGES, *COMMAND_LINE, *CONFIGURATION, *RUN_FOLDER, *ENVIRONMENT, *PROGRAMS,
    *TRAINING, *NUMBERS, *DEVICES, *SAVING, *CRASHES,
)  # fmt: skip
