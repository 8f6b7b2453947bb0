"""EMOVO: six Italian actors, fourteen sentences, seven emotions."""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath

from ser_classic.corpora.clips import CHECKSUMS, Corpus, scan_names

LABELS = {
    "neu": ("neutro", "neutral"),
    "dis": ("disgusto", "disgust"),
    "gio": ("gioia", "happy"),
    "pau": ("paura", "fear"),
    "rab": ("rabbia", "angry"),
    "sor": ("sorpresa", "surprise"),
    "tri": ("tristezza", "sad"),
}

_NAME = re.compile(
    rf"(?P<emotion>{'|'.join(LABELS)})-(?P<speaker>[fm][123])-(?P<sentence>[bln]\d|d\d)", re.IGNORECASE
)


def parse(file: PurePosixPath) -> dict[str, str] | None:
    """What `f1/dis-f1-b1.wav` tells: emotion, speaker (f: female, m: male), sentence."""
    match = _NAME.fullmatch(file.stem)
    if match is None:
        return None
    stem, speaker = file.stem.lower(), match["speaker"].lower()
    label, emotion = LABELS[match["emotion"].lower()]
    return {
        "clip": stem,
        "speaker": speaker,
        "emotion": emotion,
        "label": label,
        "sex": "female" if speaker.startswith("f") else "male",
        "sentence": match["sentence"].lower(),
    }


EMOVO = Corpus(
    name="emovo",
    title="EMOVO, an Italian emotional speech database",
    url="http://voice.fub.it/activities/corpora/emovo/index.html",
    licence="free for research",
    citation=(
        "Costantini G., Iaderola I., Paoloni A., Todisco M. (2014). EMOVO Corpus: an Italian emotional "
        "speech database. LREC 2014, 3501-3504"
    ),
    language="Italian",
    style="acted",
    anomalies=(
        "two spaced microphones recorded each actor: the mean of the channels is a comb filter, so the left "
        "one is taken",
        "f1/rab-f1-b1 is mono",
    ),
    scan=partial(scan_names, name="emovo", parse=parse, checksums=CHECKSUMS / "emovo.tsv"),
    clips=588,
    speakers=6,
    channel=0,
    parse=parse,
    checksums=CHECKSUMS / "emovo.tsv",
    folders=("EMOVO Corpus",),
    obtain="download it by hand, as told at http://voice.fub.it/activities/corpora/emovo/index.html",
)
