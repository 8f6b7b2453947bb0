"""A predictor in one file: a zip of a JSON and plain arrays, and on request the pipeline as a skops file.

`predictor.json` holds the card, the parts of the machine, and the kind and shape of every array; the member
`arrays/<number>` holds its values in row-major order, little-endian. The file contains no code, and
everything in it is checked before it is used.
"""

from __future__ import annotations

import io
import json
import shlex
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ser_classic import machines
from ser_classic.errors import SerClassicError, wrap_errors
from ser_classic.features import FEATURES
from ser_classic.machines import PARTS, Machine
from ser_classic.predictor.cards import takes_tables, text
from ser_classic.predictor.familiarity import Familiarity
from ser_classic.runtime.files import replacing, require_writable

FORMAT = 4
SUFFIX = ".skops"
DESCRIPTION, PIPELINE = "predictor.json", "pipeline.skops"
LARGEST = 2**30  # [bytes] of all members together, uncompressed
TRUSTED = ("ser_classic.", "sklearn.neural_network._stochastic_optimizers.")  # of a pipeline; plain Python
NUMBERS = ("<f4", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4")
KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (Familiarity, *vars(machines).values())
    if isinstance(kind, type) and is_dataclass(kind)
}
KINDS["Chances"] = KINDS.pop("Probabilities")  # as format 4 calls it
WORDS = {kind: word for word, kind in KINDS.items()}
FACTS = {  # what the card must hold for the predictor to work
    "title": str,
    "features": dict,
    "classes": list,
    "track": str,
    "across": bool,
    "channel": int | None,
}


def save(
    path: str | Path, card: dict[str, Any], machine: Machine, familiarity: Familiarity, pipeline: Any = None
) -> None:
    """Write the parts of a predictor into one file, completely or not at all; `load` returns them.

    Equal predictors give equal bytes, but for the pipeline: a skops file in it, for `load_pipeline`.
    """
    path = Path(path)
    require_writable(path, "predictors", SUFFIX)
    arrays: list[np.ndarray] = []
    description = {
        "format": FORMAT,
        "card": card,
        "machine": _encoded(machine, arrays),
        "familiarity": _encoded(familiarity, arrays),
        "arrays": [{"kind": array.dtype.str, "shape": array.shape} for array in arrays],
    }
    with (
        wrap_errors(f"{path}: cannot be written"),
        replacing(path) as draft,
        zipfile.ZipFile(draft, "w") as archive,
    ):
        content = json.dumps(description, ensure_ascii=False, allow_nan=False, indent=1)
        _check_card(json.loads(content)["card"], str(path))
        archive.writestr(zipfile.ZipInfo(DESCRIPTION), content, zipfile.ZIP_DEFLATED)
        for number, array in enumerate(arrays):
            values = array.tobytes()
            start = values[: 2**20]
            worth = len(zlib.compress(start)) < 0.9 * len(start)
            kind = zipfile.ZIP_DEFLATED if worth else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(f"arrays/{number}"), values, kind)
        if pipeline is not None:
            import skops.io

            dumped = io.BytesIO()
            skops.io.dump(pipeline, dumped, compression=zipfile.ZIP_DEFLATED, compresslevel=6)
            archive.writestr(zipfile.ZipInfo(PIPELINE), dumped.getvalue())


def how_to_make(path: str | Path) -> str:
    """A hint with the command that makes a predictor of that name."""
    output = shlex.quote(str(Path(path).with_suffix(SUFFIX)))
    return f"make one with: ser-classic fit synthetic --features classic193 --model svm_rbf -o {output}"


def load(path: str | Path) -> tuple[dict[str, Any], Machine, Familiarity]:
    """Card, machine and familiarity in a file that `save` wrote."""
    with _opened(path) as (archive, description):
        arrays = [_array(archive, number, each) for number, each in enumerate(description["arrays"])]
        machine, familiarity = (_decoded(description[name], arrays) for name in ("machine", "familiarity"))
        if not isinstance(machine, Machine) or not isinstance(familiarity, Familiarity):
            raise ValueError("no machine or familiarity where they are expected")
        return description["card"], machine, familiarity


def read_card(path: str | Path) -> dict[str, Any]:
    """Only the card of a saved predictor."""
    with _opened(path) as (_, description):
        return description["card"]


def pipeline_of(path: str | Path) -> bytes:
    """The pipeline in a saved predictor, as a skops file."""
    with _opened(path) as (archive, description):
        if PIPELINE not in archive.namelist():
            raise SerClassicError(
                f"{path}: contains no scikit-learn pipeline of {description['card']['title']}; fit it with "
                "--pipeline (save with pipeline=True)"
            )
        return archive.read(PIPELINE)


def load_pipeline(path: str | Path) -> Any:
    """The scikit-learn pipeline that was saved with a predictor; skops rebuilds it.

    This needs the versions of scikit-learn and of this package that it was saved with; the predictor itself
    does not.

    Raises
    ------
    SerClassicError
        The file holds no pipeline, or skops does not trust it (as with a random forest) or cannot rebuild it.

    Examples
    --------
    >>> from ser_classic import fit
    >>> fit("synthetic", "mfcc13", "lda", evaluate=False).save("m.skops", pipeline=True)
    >>> [name for name, step in load_pipeline("m.skops").steps]
    ['scale', 'model']
    """
    import skops.io

    content = pipeline_of(path)
    with wrap_errors(f"{path}: skops cannot load its pipeline"):
        found = skops.io.get_untrusted_types(data=content)
        if strange := [name for name in found if not name.startswith(TRUSTED)]:
            raise SerClassicError(
                f"{path}: skops does not trust {', '.join(strange)} of its pipeline: a changed one could do "
                "harm with it. If you know who made it, write the pipeline to a file with ser-classic card "
                f"{shlex.quote(str(path))} --pipeline p.skops, and load that with "
                "skops.io.load('p.skops', trusted=skops.io.get_untrusted_types(file='p.skops'))"
            )
        return skops.io.loads(content, trusted=found)


def _encoded(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<")).reshape(value.shape))
        return {"array": len(arrays) - 1}
    if is_dataclass(value):
        kind = type(value)
        return {"is": WORDS.get(kind) or kind.name} | {
            field.name: _encoded(getattr(value, field.name), arrays) for field in fields(value)
        }
    if isinstance(value, tuple):
        return [_encoded(each, arrays) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def _decoded(node: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(node, list):
        return tuple(_decoded(each, arrays) for each in node)
    if not isinstance(node, dict):
        return node
    if node.keys() == {"array"}:
        return arrays[node["array"]]
    if node["is"] not in KINDS and node["is"] not in PARTS:
        raise ValueError(f"unknown part {node['is']!r:.60}")
    kind = KINDS.get(node["is"]) or PARTS[node["is"]]
    named = {name: _decoded(each, arrays) for name, each in node.items() if name != "is"}
    return kind(**named)


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    """The file and its JSON, with its card checked; it is to blame for whatever is raised in the block."""
    if not Path(path).is_file():
        raise SerClassicError(f"{path}: there is no such file; {how_to_make(path)}")
    with (
        wrap_errors(
            f"{path}: truncated, changed or not saved by ser-classic", "copy it again, or fit it again"
        ),
        zipfile.ZipFile(path) as archive,
    ):
        if sum(member.file_size for member in archive.infolist()) > LARGEST:
            raise ValueError(f"it would unpack to more than {LARGEST >> 30} GiB")
        description = json.loads(archive.read(DESCRIPTION))
        if description["format"] != FORMAT:
            raise SerClassicError(
                f"{path}: saved in format {description['format']!r:.60}, this version reads {FORMAT}; "
                "fit it again"
            )
        _check_card(description["card"], str(path))
        yield archive, description


def _check_card(card: dict[str, Any], name: str) -> None:
    for key, kind in FACTS.items():
        if not isinstance(card[key], kind):
            raise SerClassicError(f"{name}: its card is not valid, {key} is {card[key]!r:.60}; fit it again")
    wanted, brought = card["features"]["name"], takes_tables(card)
    words = [wanted, *card["classes"], *(card["features"]["names"] if brought else ())]
    if card["track"] not in ("blind", "adapted") or not all(isinstance(word, str) for word in words):
        raise SerClassicError(f"{name}: its card is not valid; fit it again")
    if not brought:
        _check_features(card["features"], name)
    text(card)  # raises where it lacks what is shown of it


def _check_features(then: dict[str, Any], name: str) -> None:
    if then["name"] not in FEATURES:
        raise SerClassicError(
            f"{name}: made with the feature set {then['name']!r:.60}, which is not installed; install "
            "its package, or fit it again"
        )
    features = FEATURES[then["name"]]
    now = json.loads(json.dumps(features.parameters))
    if then != now:
        changed = sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key))
        what = "; ".join(f"{key} was {then.get(key)!r:.60} and is {now.get(key)!r:.60}" for key in changed)
        raise SerClassicError(
            f"{name}: made with another version of the features {features.name} ({what}); fit it again"
        )


def _array(archive: zipfile.ZipFile, number: int, stated: dict[str, Any]) -> np.ndarray:
    kind, shape = stated["kind"], stated["shape"]
    if kind not in NUMBERS or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"an array of {kind!r:.20}, shape {shape!r:.60}")
    array = np.frombuffer(archive.read(f"arrays/{number}"), dtype=kind).reshape(shape)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"array {number} holds values that are not numbers")
    return array
