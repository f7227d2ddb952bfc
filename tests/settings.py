"""MENTOR's settings for tests: a home of its own, tasks run at once, quick passwords."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if not os.environ.get("MENTOR_TEST_HOME"):
    os.environ["MENTOR_TEST_HOME"] = tempfile.mkdtemp(prefix="mentor-tests-")
    atexit.register(shutil.rmtree, os.environ["MENTOR_TEST_HOME"], ignore_errors=True)
# Each of several processes has a home of its own.
os.environ["MENTOR_HOME"] = str(Path(os.environ["MENTOR_TEST_HOME"], os.environ.get("PYTEST_XDIST_WORKER", "")))

from mentor_site.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
Q_CLUSTER = {**Q_CLUSTER, "sync": True}  # noqa: F405
