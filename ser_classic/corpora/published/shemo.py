"""ShEMO: 87 Persian speakers of radio plays, six emotions."""

from dataclasses import replace

from ser_classic.corpora.labels import LabelFile
from ser_classic.corpora.releases import Corpus, codes

SHEMO = Corpus(
    name="shemo",
    pattern=r"(?P<speaker>(?P<sex>[FM])\d\d)(?P<emotion>[AHNSWF])(?P<number>\d+)",
    emotions=codes("A=angry H=happy N=neutral S=sad W=surprise F=fear"),
    title="Sharif Emotional Speech Database",
    url="https://github.com/pariajm/sharif-emotional-speech-dataset",
    licence="free for research",
    citation="Nezami et al., Language Resources and Evaluation 2019",
    language="Persian",
    style="radio plays",
    clips=3000,
    speakers=87,
    layout=("male/M01A01.wav",),
    anomalies=(
        "fear has 38 clips",
        "a correction of 2022 gives 163 clips another label than their name has: see shemo_corrected",
    ),
    archive="https://github.com/pariajm/sharif-emotional-speech-dataset/archive/HEAD.zip",
)
SHEMO_CORRECTED = replace(
    SHEMO,
    name="shemo_corrected",
    part_of="shemo",
    title=f"{SHEMO.title}, with the labels as corrected in 2022",
    pattern=SHEMO.pattern.replace("?P<emotion>", "?P<acted>"),
    emotions=codes("anger happiness neutral sadness surprise fear"),
    labels=LabelFile(
        "**/modified_shemo.json",
        key="key",
        columns={"emotion": "label"},
        drop=("path", "gender", "speech_name", "transcript", "ipa", "Error", "wav2vec2"),
        obtain=(
            "Get modified_shemo.json from https://github.com/aliyzd95/ShEMO-Modification and put it into "
            "that folder"
        ),
    ),
    clips=0,
    speakers=0,
    layout=("male/M01A01.wav", "modified_shemo.json"),
)
