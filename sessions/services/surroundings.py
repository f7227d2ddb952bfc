"""The environment variables a trainer may see: what it needs of the machine, and nothing of MENTOR's."""

from __future__ import annotations

import fnmatch
import os
import sys
from collections.abc import Iterable, Mapping

ALLOWED = (
    "PATH", "PATHEXT", "HOME", "USER", "USERNAME", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ",
    "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "OS", "COMPUTERNAME",
    "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES*",
    "COMMONPROGRAMFILES*", "NUMBER_OF_PROCESSORS", "PROCESSOR_*", "CUDA_*", "NVIDIA_*", "HIP_*", "ROCR_*", "HSA_*",
    "LD_LIBRARY_PATH", "DYLD_*", "OMP_*", "MKL_*", "OPENBLAS_*", "KMP_*", "TORCH_*", "PYTORCH_*", "GRPC_*",
    "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "XDG_*", "UNITY_*", "VIRTUAL_ENV", "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV", "PYTHONPATH", "PYTHONHOME",
)  # fmt: skip
# What looks like a secret stays here, whatever pattern would let it through.
SECRET_WORDS = ("SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIAL", "API_KEY", "DATABASE_URL", "REDIS_URL")


def surroundings(
    environ: Mapping[str, str], *, extra: Iterable[str], variables: Mapping[str, str], cookie: str
) -> dict[str, str]:
    """Return the whole environment of a trainer.

    `extra` are the user's own patterns, `variables` belong to the kind of trainer, `cookie` marks every process of
    the attempt, so that none is left behind.
    """
    patterns = (*ALLOWED, *extra)
    kept = {name: value for name, value in environ.items() if _allowed(name, patterns)}
    if sys.platform == "win32":
        # The folder of the attempt is not a place to look for programs.
        kept["NoDefaultCurrentDirectoryInExePath"] = "1"
    return {**kept, **variables, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "MENTOR_ATTEMPT": cookie}


def trainer_surroundings(*, extra: Iterable[str], variables: Mapping[str, str], cookie: str) -> dict[str, str]:
    """Return `surroundings` made from this process's own environment."""
    return surroundings(os.environ, extra=extra, variables=variables, cookie=cookie)


def _allowed(name: str, patterns: Iterable[str]) -> bool:
    upper = name.upper()
    if upper.startswith(("MENTOR_", "DJANGO_")) or any(word in upper for word in SECRET_WORDS):
        return False
    return any(fnmatch.fnmatchcase(upper, pattern.upper()) for pattern in patterns)
