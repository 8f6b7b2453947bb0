"""Provenance: what a result was computed with."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import Any

LIBRARIES = (
    "ser-classic",
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "xgboost",
    "xgboost-cpu",
    "soxr",
    "soundfile",
)
OPTIONAL = {"deep": ("torch", "skorch", "noisereduce"), "opensmile": ("opensmile",)}


@cache
def versions(extra: str | None = None) -> dict[str, str]:
    """Versions of all that predictions can depend on, with a model's or feature set's optional libraries."""
    from importlib.metadata import PackageNotFoundError, version  # 15 ms that a prediction does not need

    found = {"python": platform.python_version()}
    for name in (*LIBRARIES, *OPTIONAL.get(extra or "", ())):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def machine() -> dict[str, Any]:
    """The machine, as far as timings and last digits depend on it."""
    model = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": model,
        "cores": os.cpu_count(),
    }
