"""One thread a test process, as at a hospital: small sums are faster so, and test processes share the cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported
