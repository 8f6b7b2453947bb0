"""CREMA-D: 91 American actors, twelve sentences, six emotions, three levels of one sentence."""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath

from ser_classic.corpora.clips import CHECKSUMS, Corpus, scan_names

LABELS = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
MISNAMED = {"1040_ITH_SAD_X": "1040_ITH_SAD_XX"}  # in copies from elsewhere

# VideoDemographics.csv of the release: 43 women, 48 men
_FEMALE = """
1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 1037 1043 1046 1047
1049 1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 1091
"""
FEMALE = frozenset(_FEMALE.split())

_NAME = re.compile(
    r"(?P<speaker>10[0-8]\d|109[01])_(?P<sentence>[A-Z]{3})"
    rf"_(?P<emotion>{'|'.join(LABELS)})_(?P<level>{'|'.join(LEVELS)})"
)

# Of each pair one label is wrong, and nothing tells which.
_CONFLICTS = (
    ("crema_d/1006_TIE_HAP_XX", "crema_d/1006_TIE_NEU_XX"),
    ("crema_d/1013_WSI_DIS_XX", "crema_d/1013_WSI_SAD_XX"),
    ("crema_d/1017_IWW_ANG_XX", "crema_d/1017_IWW_FEA_XX"),
)
EXCLUDED = {
    "crema_d/1076_MTI_SAD_XX": "no audio in the release",
    **{
        clip: f"the same recording as {(set(pair) - {clip}).pop().split('/')[1]}, under another emotion"
        for pair in _CONFLICTS
        for clip in pair
    },
}


def parse(file: PurePosixPath) -> dict[str, str] | None:
    """What `1001_DFA_ANG_XX.wav` tells: actor, sentence, emotion, level (XX where none was asked for)."""
    stem = MISNAMED.get(file.stem, file.stem)
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    return {
        "clip": stem,
        "speaker": match["speaker"],
        "emotion": LABELS[match["emotion"]],
        "label": match["emotion"],
        "sex": "female" if match["speaker"] in FEMALE else "male",
        "sentence": match["sentence"],
        "intensity": LEVELS[match["level"]],
    }


CREMA_D = Corpus(
    name="crema_d",
    title="Crowd-sourced Emotional Multimodal Actors Dataset",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    licence="Open Database License 1.0",
    citation=(
        "Cao H., Cooper D.G., Keutmann M.K., Gur R.C., Nenkova A., Verma R. (2014). CREMA-D: Crowd-sourced "
        "emotional multimodal actors dataset. IEEE Transactions on Affective Computing 5(4), 377-390. "
        "doi:10.1109/TAFFC.2014.2336244"
    ),
    language="English (North America)",
    style="acted",
    anomalies=(
        "three pairs of files are one recording under two emotions and are left out",
        "1076_MTI_SAD_XX has no sound and is left out",
        "copies from elsewhere call one file 1040_ITH_SAD_X.wav",
    ),
    scan=partial(
        scan_names, name="crema_d", parse=parse, checksums=CHECKSUMS / "crema_d.tsv.gz", excluded=EXCLUDED
    ),
    clips=7442,
    speakers=91,
    parse=parse,
    checksums=CHECKSUMS / "crema_d.tsv.gz",
    folders=("CREMA-D", "AudioWAV", "CREMA"),
    excluded=EXCLUDED,
    identical=_CONFLICTS,
    files_url="https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/",
)
