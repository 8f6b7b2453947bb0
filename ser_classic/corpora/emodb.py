"""EMO-DB, the Berlin database: ten German actors, ten sentences, seven emotions."""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath

from ser_classic.corpora.clips import CHECKSUMS, Archive, Corpus, scan_names

LABELS = {
    "W": ("anger", "angry"),
    "L": ("boredom", "boredom"),
    "E": ("disgust", "disgust"),
    "A": ("fear", "fear"),
    "F": ("happiness", "happy"),
    "T": ("sadness", "sad"),
    "N": ("neutral", "neutral"),
}
MALE = ("03", "10", "11", "12", "15")

_NAME = re.compile(
    r"(?P<speaker>03|08|09|1[0-6])(?P<sentence>a0[12457]|b0[1239]|b10)(?P<emotion>[WLEAFTN])(?P<version>[a-z])"
)


def parse(file: PurePosixPath) -> dict[str, str] | None:
    """What `SSTTTEV.wav` tells: speaker, text, emotion (a German initial), version."""
    match = _NAME.fullmatch(file.stem)
    if match is None:
        return None
    label, emotion = LABELS[match["emotion"]]
    return {
        "clip": file.stem,
        "speaker": match["speaker"],
        "emotion": emotion,
        "label": label,
        "sex": "male" if match["speaker"] in MALE else "female",
        "sentence": match["sentence"],
        "version": match["version"],
    }


# The second edition (2.0) offers all 816 recordings; scores are published on the 535 of the first, those
# that listeners recognised, and these alone are in the official list.
EMODB = Corpus(
    name="emodb",
    title="Berlin Database of Emotional Speech",
    url="http://emodb.bilderbar.info",
    licence="CC0 1.0",
    citation=(
        "Burkhardt F., Paeschke A., Rolfes M., Sendlmeier W., Weiss B. (2005). A database of German "
        "emotional speech. Interspeech 2005, 1517-1520. doi:10.21437/Interspeech.2005-446"
    ),
    language="German",
    style="acted",
    anomalies=(
        "speaker 08 has no disgust, and five cells of speaker and emotion hold one or two clips",
        "the second edition has 816 files, of which the 535 of the first are counted",
    ),
    scan=partial(scan_names, name="emodb", parse=parse, checksums=CHECKSUMS / "emodb.tsv"),
    clips=535,
    speakers=10,
    parse=parse,
    checksums=CHECKSUMS / "emodb.tsv",
    folders=("EMO-DB", "Berlin", "Berlin Database of Emotional Speech"),
    archive=Archive(url="http://emodb.bilderbar.info/download/download.zip", file="download.zip"),
)
