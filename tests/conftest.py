"""One thread a test process, so that test processes share the cores; and invented cases that can be repeated."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

from hypothesis import HealthCheck, settings

# The same invented cases in every run, and no test that fails because the machine is busy.
settings.register_profile("medley", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("medley")
