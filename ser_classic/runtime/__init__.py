"""What long work needs of the machine: processes, locks, whole files, places, progress and provenance."""

import os

# Cores that this process may use
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
