"""SAVEE, the Surrey database: four English men, 120 sentences each, seven emotions."""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath

from ser_classic.corpora.clips import CHECKSUMS, Corpus, scan_names

LABELS = {
    "a": ("anger", "angry"),
    "d": ("disgust", "disgust"),
    "f": ("fear", "fear"),
    "h": ("happiness", "happy"),
    "n": ("neutral", "neutral"),
    "sa": ("sadness", "sad"),
    "su": ("surprise", "surprise"),
}
SPEAKERS = ("DC", "JE", "JK", "KL")

_NAME = re.compile(rf"((?P<speaker>{'|'.join(SPEAKERS)})_)?(?P<sentence>(?P<emotion>a|d|f|h|n|sa|su)\d\d)")


def parse(file: PurePosixPath) -> dict[str, str] | None:
    """What `AudioData/DC/a01.wav` or the flat `DC_a01.wav` tells: speaker, emotion, sentence.

    Sentences are numbered within an emotion: a01 is one sentence, spoken by all, but not that of d01.
    """
    match = _NAME.fullmatch(file.stem)
    if match is None:
        return None
    speaker = match["speaker"] or file.parent.name
    if speaker not in SPEAKERS:
        return None
    label, emotion = LABELS[match["emotion"]]
    return {
        "clip": f"{speaker}_{match['sentence']}",
        "speaker": speaker,
        "emotion": emotion,
        "label": label,
        "sex": "male",
        "sentence": match["sentence"],
    }


SAVEE = Corpus(
    name="savee",
    title="Surrey Audio-Visual Expressed Emotion database",
    url="http://kahlan.eps.surrey.ac.uk/savee/",
    licence="free for research, on registration",
    citation=(
        "Haq S., Jackson P.J.B. (2009). Speaker-dependent audio-visual emotion recognition. AVSP 2009, 53-58"
    ),
    language="English (Britain)",
    style="acted",
    access="registration",
    anomalies=("about a hundred clips are clipped, and loudness varies by more than 30 dB",),
    scan=partial(scan_names, name="savee", parse=parse, checksums=CHECKSUMS / "savee.tsv"),
    clips=480,
    speakers=4,
    parse=parse,
    checksums=CHECKSUMS / "savee.tsv",
    folders=("SAVEE Database", "AudioData"),
    obtain=(
        "register at http://kahlan.eps.surrey.ac.uk/savee/ and download the audio (AudioData.zip) "
        "with the password you are sent"
    ),
)
