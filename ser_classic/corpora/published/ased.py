"""ASED: 65 Amharic speakers, five emotions."""

from ser_classic.corpora.releases import Corpus, codes

ASED = Corpus(
    name="ased",
    pattern=r"(?P<emotion>[nfhasS])\d-(?P<sentence>\d\d)-(?P<repetition>\d\d)-(?P<sex>0[12])-(?P<speaker>\d\d)",
    emotions=codes("n=neutral f=fear h=happy s=sad S=sad a=angry"),
    words={"sex": codes("01=female 02=male")},
    title="Amharic Speech Emotion Dataset",
    url="https://github.com/Ethio2021/ASED_V1",
    licence="not stated",
    citation="Retta et al., ACM TALLIP 2022. doi:10.1145/3529759",
    language="Amharic",
    style="acted, judged",
    clips=2474,
    speakers=65,
    folders=("ASED_V1",),
    layout=("neutral/n1-01-01-01-01.wav",),
    anomalies=(
        "speakers 09, 15, 21, 23 and 25 bear both sexes: two people may share a number",
        "4 pairs of files are identical, some under two sexes",
        "many speakers lack an emotion",
        "one file begins with S instead of s",
    ),
    duplicates=4,
    archive="https://github.com/Ethio2021/ASED_V1/archive/HEAD.zip",
)
