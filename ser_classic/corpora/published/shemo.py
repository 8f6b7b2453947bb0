"""ShEMO: 87 Persian speakers of radio plays, six emotions."""

from __future__ import annotations

from ser_classic.corpora.labels import LabelFile
from ser_classic.corpora.releases import Archive, Release, published

_PATTERN = r"(?P<speaker>(?P<sex>[FM])\d\d)(?P<emotion>[AHNSWF])(?P<number>\d+)"
_FACTS = {
    "url": "https://github.com/pariajm/sharif-emotional-speech-dataset",
    "licence": "free for research",
    "archive": Archive("https://github.com/pariajm/sharif-emotional-speech-dataset/archive/HEAD.zip"),
    "language": "Persian",
    "style": "radio plays",
    "anomalies": (
        "fear has 38 clips",
        "a correction of 2022 gives 163 clips another label than their name has: see shemo_corrected",
    ),
}

SHEMO = published(
    Release(
        "shemo",
        _PATTERN,
        {"A": "angry", "H": "happy", "N": "neutral", "S": "sad", "W": "surprise", "F": "fear"},
    ),
    title="Sharif Emotional Speech Database",
    citation="Nezami et al., Language Resources and Evaluation 2019",
    clips=3000,
    speakers=87,
    layout=("male/M01A01.wav",),
    **_FACTS,
)
SHEMO_CORRECTED = published(
    Release(
        "shemo",
        _PATTERN.replace("?P<emotion>", "?P<acted>"),
        {
            **{"anger": "angry", "happiness": "happy", "neutral": "neutral"},
            **{"sadness": "sad", "surprise": "surprise", "fear": "fear"},
        },
        labels=LabelFile(
            "**/modified_shemo.json",
            key="key",
            columns={"emotion": "label"},
            drop=("path", "gender", "speech_name", "transcript", "ipa", "Error", "wav2vec2"),
            obtain=(
                "get modified_shemo.json from https://github.com/aliyzd95/ShEMO-Modification and put it into "
                "that folder"
            ),
        ),
    ),
    name="shemo_corrected",
    title="Sharif Emotional Speech Database, with the labels as corrected in 2022",
    citation="Nezami et al., Language Resources and Evaluation 2019",
    clips=0,
    speakers=0,
    folders=("shemo",),
    part_of="shemo",
    layout=("male/M01A01.wav", "modified_shemo.json"),
    **_FACTS,
)
