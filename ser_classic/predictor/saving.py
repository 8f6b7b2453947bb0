"""A predictor in one file: a skops file with the card beside the pipeline, sealed with a digest."""

from __future__ import annotations

import hashlib
import io
import json
import shlex
import zipfile
from pathlib import Path
from typing import Any

from ser_classic.features import FEATURES, FeatureSet
from ser_classic.predictor import reader
from ser_classic.predictor.errors import PredictorError
from ser_classic.runtime.files import FileError, replacing, require_writable

FORMAT = 1
CARD = "card.json"
SUFFIX = ".skops"
FACTS = {  # what the card must hold for its predictor to work
    "title": str,
    "features": dict,
    "classes": list,
    "track": str,
    "channel": int | None,
    "versions": dict,
}
SEAL = b"sha256:"  # begins the archive's comment, which ends the file
SEALED = len(SEAL) + 64

Parts = tuple[Any, FeatureSet, tuple[str, ...], dict[str, Any]]  # of a predictor, in the order of its fields


def save(estimator: Any, card: dict[str, Any], path: str | Path) -> None:
    """Write a fitted pipeline and its card into one file, whole or not at all.

    The file is a zip archive that `skops.io` can read, too, with the card in `card.json`. Its comment is the
    SHA-256 of all that goes before.

    Raises
    ------
    FileError
        The file cannot be written.
    PredictorError
        The pipeline holds a type that `load_predictor` would refuse.
    """
    path = Path(path)
    require_writable(path, "predictors", SUFFIX)
    content = seal(_pack(estimator, card))
    try:
        unpack(content, str(path))
    except PredictorError as error:
        raise PredictorError(
            f"{card['title']}: cannot be saved so that it could be loaded again: {error}"
        ) from error
    try:
        with replacing(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror})") from error


def how_to_make(path: str | Path) -> str:
    """A command that makes a predictor of that name."""
    output = shlex.quote(str(Path(path).with_suffix(SUFFIX)))
    return f"make one with: ser-classic fit synthetic --features classic193 --model svm_rbf -o {output}"


def load(path: str | Path) -> Parts:
    """What a file holds that `save` wrote; raises as `load_predictor` does."""
    card, archive = _open(Path(path))
    with archive:
        return _build(card, archive, str(path))


def read_card(path: str | Path) -> dict[str, Any]:
    """Card of a saved predictor, without building it; raises as `load_predictor` does."""
    card, archive = _open(Path(path))
    archive.close()
    return card


def seal(archive: bytes) -> bytes:
    """Put the digest of a zip archive without a comment at its end, as its comment."""
    body = archive[:-2] + SEALED.to_bytes(2, "little")
    return body + SEAL + hashlib.sha256(body).hexdigest().encode()


def unpack(content: bytes, name: str) -> Parts:
    """As `load`, of the bytes of a file called `name`."""
    card, archive = _unseal(content, name)
    with archive:
        return _build(card, archive, name)


def _pack(estimator: Any, card: dict[str, Any]) -> bytes:
    import skops.io

    buffer = io.BytesIO()
    try:
        skops.io.dump(estimator, buffer, compression=zipfile.ZIP_DEFLATED, compresslevel=6)
    except Exception as error:  # skops raises what it meets in foreign estimators
        raise PredictorError(f"{card['title']}: skops cannot save it ({error})") from error
    with zipfile.ZipFile(buffer, "a", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CARD, json.dumps(card, ensure_ascii=False, indent=1))
    return buffer.getvalue()


def _open(path: Path) -> tuple[dict[str, Any], zipfile.ZipFile]:
    if path.is_dir():
        held = ", ".join(str(file) for file in sorted(path.glob(f"*{SUFFIX}"))) or "none"
        raise PredictorError(f"{path}: is a folder; name one of the saved predictors in it: {held}")
    if not path.is_file():
        raise PredictorError(f"{path}: there is no such file; {how_to_make(path)}")
    try:
        if path.stat().st_size > reader.LARGEST:
            raise PredictorError(f"{path}: larger than {reader.LARGEST >> 30} GiB; no predictor is")
        return _unseal(path.read_bytes(), str(path))
    except OSError as error:
        raise PredictorError(f"{path}: cannot be read ({error.strerror})") from error


def _unseal(content: bytes, name: str) -> tuple[dict[str, Any], zipfile.ZipFile]:
    body, seal_, digest = content[:-SEALED], content[-SEALED:-64], content[-64:]
    if not content.startswith(b"PK"):
        raise PredictorError(f"{name}: no saved predictor; {how_to_make('m')}")
    if seal_ != SEAL:
        raise PredictorError(
            f"{name}: truncated, or not saved by ser-classic; copy it again, or fit it again"
        )
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise PredictorError(f"{name}: was changed after it was saved; copy it again, or fit it again")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        if archive.getinfo(CARD).file_size > 2**24:
            raise PredictorError(f"{name}: its card is larger than 16 MiB; no predictor's is")
        card = json.loads(archive.read(CARD))
        _check_card(card, name)
    except PredictorError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}".replace("\n", " ")
        raise PredictorError(f"{name}: its card cannot be read ({what})") from error
    return card, archive


def _check_card(card: dict[str, Any], name: str) -> None:
    if card["format"] != FORMAT:
        raise PredictorError(
            f"{name}: saved in format {card['format']}, this version reads {FORMAT}; fit it again"
        )
    for key, kind in FACTS.items():
        if not isinstance(card[key], kind):
            raise PredictorError(
                f"{name}: its card is not one of ours, {key} is {card[key]!r:.60}; fit it again"
            )
    if not isinstance(card["versions"].get("scikit-learn"), str) or card["track"] not in ("blind", "adapted"):
        raise PredictorError(f"{name}: its card is not one of ours; fit it again")
    features = FEATURES[card["features"]["name"]]
    now = json.loads(json.dumps(features.parameters))
    if card["features"] != now:
        then = card["features"]
        changed = sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key))
        what = "; ".join(f"{key} was {then.get(key)!r:.60} and is {now.get(key)!r:.60}" for key in changed)
        raise PredictorError(f"{name}: made with other {features.name} features ({what}); fit it again")


def _build(card: dict[str, Any], archive: zipfile.ZipFile, name: str) -> Parts:
    import sklearn

    then, now = card["versions"]["scikit-learn"], sklearn.__version__
    if then.split(".")[:2] != now.split(".")[:2]:
        raise PredictorError(
            f"{name}: saved with scikit-learn {then}, this is {now}, which may read it otherwise; "
            "fit it again"
        )
    features = FEATURES[card["features"]["name"]]
    try:
        estimator = reader.read(archive)
    except reader.UntrustedError as error:
        raise PredictorError(f"{name}: not loaded, {error}") from error
    classes = [str(word) for word in getattr(estimator, "classes_", ())]
    if classes != card["classes"] or not classes:
        raise PredictorError(f"{name}: not loaded, its card and its pipeline name other emotions")
    if not features.sequence and getattr(estimator, "n_features_in_", None) != len(features.columns):
        raise PredictorError(f"{name}: not loaded, its pipeline takes other features than its card says")
    return estimator, features, tuple(classes), card
