"""BAVED: 60 Arabic speakers, seven words at three levels of emotion."""

from ser_classic.corpora.releases import Corpus, codes

BAVED = Corpus(
    name="baved",
    pattern=r"(?P<speaker>\d+)-(?P<sex>[mfMF])-(?P<age>\d+)-(?P<sentence>[0-6])-(?P<emotion>[012])-(?P<record>\d+)",
    emotions=codes("0=low 1=neutral 2=high"),
    title="Basic Arabic Vocal Emotions Dataset",
    url="https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset",
    licence="not stated in its repository",
    citation="Aouf 2019",
    language="Arabic",
    style="acted words",
    clips=1935,
    speakers=60,
    folders=("Basic-Arabic-Vocal-Emotions-Dataset",),
    layout=("0/0-M-20-0-0-1.wav",),
    anomalies=(
        "its words are levels of emotion (low, neutral, high), no categories",
        "its README says 61 speakers, its names hold 60",
        "27 groups of files are identical, most of them between speakers 46 and 53: keeping speakers apart "
        "does not keep recordings apart",
    ),
    duplicates=27,
    archive="https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset/archive/HEAD.zip",
)
