"""Corpora that their releases describe, a file each: a grammar of names, label files if any, and facts."""

from __future__ import annotations

import importlib
import pkgutil

from ser_classic.corpora.clips import Corpus

__all__ = ["DESCRIBED"]

DESCRIBED = [
    value
    for module in pkgutil.iter_modules(__path__)
    for value in vars(importlib.import_module(f"{__name__}.{module.name}")).values()
    if isinstance(value, Corpus)
]
