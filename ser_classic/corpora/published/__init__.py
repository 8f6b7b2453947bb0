"""Published corpora, one file each: how names are read, label files where there are any, and facts."""

from __future__ import annotations

import importlib
import pkgutil

from ser_classic.corpora.releases import Corpus

__all__ = ["PUBLISHED"]

PUBLISHED = [
    value
    for module in pkgutil.iter_modules(__path__)
    for value in vars(importlib.import_module(f"{__name__}.{module.name}")).values()
    if isinstance(value, Corpus)
]
