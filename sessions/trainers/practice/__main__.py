"""`python -m sessions.trainers.practice CONFIG --run-id=…`, as one would call mlagents-learn."""

from __future__ import annotations

import os

# Several threads only slow down matrices this small, and sum in another order each time.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from sessions.trainers.practice.training import main  # noqa: E402  (numpy reads the variables when it is imported)

if __name__ == "__main__":
    main()
