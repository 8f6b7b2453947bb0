"""Cells, what their records say, and the parameters that their predictions depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ser_classic import store
from ser_classic.corpora import CORPORA
from ser_classic.degradations import DEGRADATIONS, training_copy
from ser_classic.features import FEATURES
from ser_classic.models import Model, model_for
from ser_classic.protocols import PROTOCOLS
from ser_classic.runtime.provenance import machine, versions
from ser_classic.vocabulary import EMOTION


@dataclass(frozen=True, order=True)
class Cell:
    """The names that determine a run; `corpus` is tested on, `target` is predicted."""

    corpus: str
    protocol: str
    features: str
    model: str
    seed: int = 0
    target: str = EMOTION

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Cell:
        """The cell of a run, from its record."""
        return cls(*(record[name] for name in store.NAMES), record.get("target", EMOTION))

    @property
    def id(self) -> str:
        """Name of the run's folder."""
        return store.id_of(self.names)

    @property
    def names(self) -> dict[str, Any]:
        """Its fields as in a record, where `target` is left out for emotions."""
        return {name: value for name, value in vars(self).items() if (name, value) != ("target", EMOTION)}

    @property
    def record(self) -> dict[str, Any]:
        """What every record says: names, status (of a finished run), and the properties of the protocol."""
        protocol = PROTOCOLS[self.protocol]
        return {
            "schema": store.SCHEMA,
            "id": self.id,
            **self.names,
            "status": "ok",
            "track": protocol.track,
            "leaky": protocol.leaky,
            "base": protocol.base,
            "independent": protocol.independent,
            **protocol.conditions(self.corpus),
        }

    @property
    def entry(self) -> Model:
        """The model, among those that predict its target."""
        return model_for(self.target, self.model)

    @property
    def corpora(self) -> tuple[str, ...]:
        """The corpus to test on, then those to train on if they are others."""
        return (self.corpus, *PROTOCOLS[self.protocol].sources(self.corpus))


def new_record(cell: Cell) -> dict[str, Any]:
    """Record of a cell before it is run; parameters, digests and results are added to it."""
    features = FEATURES[cell.features]
    brought = [part.name for part in features.parts if part.brought]
    return {
        **cell.record,
        **({"brought": brought} if brought else {}),
        "parameters": {},
        "digests": {},
        "versions": versions(cell.entry.extra) | versions(features.extra),
        "machine": machine(),
    }


def parameters(cell: Cell) -> dict[str, Any]:
    """Everything in today's tables that the predictions of a cell depend on."""
    return {
        "features": FEATURES[cell.features].parameters,
        "model": cell.entry.parameters(cell.seed),
        **parameters_of_protocol(cell),
    }


def parameters_of_protocol(cell: Cell) -> dict[str, Any]:
    """The part of `parameters` that does not depend on features and model."""
    protocol = PROTOCOLS[cell.protocol]
    degraded = {"degraded_by": DEGRADATIONS[protocol.degradation].key} if protocol.degradation else {}
    copied = {"copied_by": training_copy(1, cell.seed).key} if protocol.copies else {}
    versioned = [name for name in cell.corpora if name in CORPORA and CORPORA[name].make is not None]
    return {
        "protocol": {
            "title": protocol.title,
            "version": protocol.version,
            "unit": protocol.unit,
            "track": protocol.track,
        }
        | protocol.conditions(cell.corpus)
        | degraded
        | copied,
        **({"corpora": {name: CORPORA[name].version for name in versioned}} if versioned else {}),
    }
