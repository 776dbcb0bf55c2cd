"""The tests; what is set here holds before any of them has loaded a library, and for all their children."""

import os
import signal

# Tests run side by side, one process a processor (``pytest -n``): threads and processes within a test would only wait for each other.
# What several processes come to is tested where it is asked for, by --jobs or by another LOKY_MAX_CPU_COUNT.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
    os.environ.setdefault(name, "1")

# A shell lets what it begins in the background ignore Ctrl-C, which some tests press.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
