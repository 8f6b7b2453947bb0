"""RAVDESS, the speech part: 24 Canadian actors, two sentences, eight emotions, two intensities."""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath

from ser_classic.corpora.clips import CHECKSUMS, Archive, Corpus, scan_names

LABELS = {
    "01": ("neutral", "neutral"),
    "02": ("calm", "calm"),
    "03": ("happy", "happy"),
    "04": ("sad", "sad"),
    "05": ("angry", "angry"),
    "06": ("fearful", "fear"),
    "07": ("disgust", "disgust"),
    "08": ("surprised", "surprise"),
}
INTENSITIES = {"01": "normal", "02": "strong"}

# modality 03 is audio only, vocal channel 01 is speech (02 is song, another corpus)
_NAME = re.compile(
    r"03-01-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<sentence>0[12])-(?P<repetition>0[12])"
    r"-(?P<speaker>0[1-9]|1\d|2[0-4])"
)


def parse(file: PurePosixPath) -> dict[str, str] | None:
    """What `MM-VC-EM-IN-ST-RE-AC.wav` tells: emotion, intensity, sentence, repetition, actor (odd: male).

    The `Actor_AC` folder is not needed; a clip's name has it always.
    """
    match = _NAME.fullmatch(file.stem)
    if match is None:
        return None
    speaker = match["speaker"]
    label, emotion = LABELS[match["emotion"]]
    return {
        "clip": f"Actor_{speaker}/{file.stem}",
        "speaker": speaker,
        "emotion": emotion,
        "label": label,
        "sex": "male" if int(speaker) % 2 else "female",
        "sentence": match["sentence"],
        "intensity": INTENSITIES[match["intensity"]],
        "repetition": match["repetition"],
    }


RAVDESS = Corpus(
    name="ravdess",
    title="Ryerson Audio-Visual Database of Emotional Speech and Song, speech",
    url="https://zenodo.org/records/1188976",
    licence="CC BY-NC-SA 4.0",
    citation=(
        "Livingstone S.R., Russo F.A. (2018). The Ryerson Audio-Visual Database of Emotional Speech and "
        "Song. PLoS ONE 13(5): e0196391. doi:10.1371/journal.pone.0196391"
    ),
    language="English (North America)",
    style="acted",
    anomalies=(
        "five files are stereo with two equal channels",
        "twelve clips of actors 09 and 20 lie below -60 dBFS",
        "two takes of actor 07 are identical, of one label",
        "there is no strong neutral",
    ),
    same_speakers=("ravdess_song",),
    scan=partial(scan_names, name="ravdess", parse=parse, checksums=CHECKSUMS / "ravdess.tsv"),
    clips=1440,
    speakers=24,
    parse=parse,
    checksums=CHECKSUMS / "ravdess.tsv",
    folders=("Audio_Speech_Actors_01-24", "RAVDESS_speech"),
    identical=(("ravdess/Actor_07/03-01-03-01-02-01-07", "ravdess/Actor_07/03-01-03-01-02-02-07"),),
    archive=Archive(
        url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
        file="Audio_Speech_Actors_01-24.zip",
        checksum="md5:bc696df654c87fed845eb13823edef8a",
    ),
)
