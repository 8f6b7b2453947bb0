"""TESS, the Toronto set: two actresses, 200 words in one carrier phrase, seven emotions."""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath

from ser_classic.corpora.clips import CHECKSUMS, Archive, Corpus, scan_names

LABELS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sad",
}

# One official file, OA_bite_neutral.wav, lacks the F. Folders differ between packagings: they tell nothing.
_NAME = re.compile(rf"(?P<speaker>OAF?|YAF)_(?P<word>[a-z]+)_(?P<emotion>{'|'.join(LABELS)})", re.IGNORECASE)


def parse(file: PurePosixPath) -> dict[str, str] | None:
    """What `OAF_word_emotion.wav` tells: the older (OAF) or younger (YAF) actress, the word, the emotion."""
    match = _NAME.fullmatch(file.stem)
    if match is None:
        return None
    initials, word, label = match["speaker"].upper(), match["word"].lower(), match["emotion"].lower()
    return {
        "clip": f"{initials}_{word}_{label}",
        "speaker": "YAF" if initials == "YAF" else "OAF",
        "emotion": LABELS[label],
        "label": label,
        "sex": "female",
        "sentence": word,
    }


TESS = Corpus(
    name="tess",
    title="Toronto Emotional Speech Set",
    url="https://doi.org/10.5683/SP2/E8H2MF",
    licence="CC BY-NC-ND 4.0",
    citation=(
        "Pichora-Fuller M.K., Dupuis K. (2020). Toronto emotional speech set (TESS). Scholars Portal "
        "Dataverse. doi:10.5683/SP2/E8H2MF"
    ),
    language="English (Canada)",
    style="acted",
    anomalies=(
        "two files are AIFF under a .wav name, and one has 96 kHz where the others have 24 414 Hz",
        "OA_bite_neutral.wav lacks its F; folders differ between packagings",
    ),
    scan=partial(scan_names, name="tess", parse=parse, checksums=CHECKSUMS / "tess.tsv"),
    clips=2800,
    speakers=2,
    parse=parse,
    checksums=CHECKSUMS / "tess.tsv",
    folders=("TESS Toronto emotional speech set data", "Toronto emotional speech set"),
    archive=Archive(
        url="https://borealisdata.ca/api/access/dataset/:persistentId/?persistentId=doi:10.5683/SP2/E8H2MF",
        file="dataverse_files.zip",
    ),
)
