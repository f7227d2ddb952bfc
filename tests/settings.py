"""MENTOR's settings for tests: a home of its own, tasks run at once, quick passwords."""

import os
import tempfile

os.environ["MENTOR_HOME"] = os.environ.get("MENTOR_TEST_HOME") or tempfile.mkdtemp(prefix="mentor-tests-")

from mentor_site.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
Q_CLUSTER = {**Q_CLUSTER, "sync": True}  # noqa: F405
