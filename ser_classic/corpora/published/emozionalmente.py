"""Emozionalmente: Italian sentences recorded by a crowd, seven emotions."""

from ser_classic.corpora.labels import LabelFile
from ser_classic.corpora.releases import Corpus, codes

EMOZIONALMENTE = Corpus(
    name="emozionalmente",
    pattern=r"\d{13}",
    emotions=codes("anger disgust fear joy neutrality sadness surprise"),
    labels=LabelFile(
        "**/samples.csv",
        key="file_name",
        columns={"emotion_expressed": "label", "actor": "speaker"},
    ),
    title="Emozionalmente",
    url="https://zenodo.org/records/6569824",
    licence="CC BY 4.0",
    citation="Catania et al., IEEE Transactions on Audio, Speech and Language Processing 2025. "
    "doi:10.1109/TASLPRO.2025.3540662",
    language="Italian",
    style="acted, crowd-sourced",
    clips=6902,
    speakers=431,
    layout=("audio/1234567890123.wav", "metadata/samples.csv"),
    anomalies=("the labels are what was to be expressed; five votes a clip lie in metadata/evaluations.csv",),
)
