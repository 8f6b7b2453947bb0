"""AESDD: six Greek actors, five emotions."""

from ser_classic.corpora.releases import Corpus, codes, odd_is_male

AESDD = Corpus(
    name="aesdd",
    pattern=r"(?P<emotion>[adfhs])(?P<sentence>\d\d) ?\(0?(?P<speaker>\d)\)?(?P<repetition>[ab]?)",
    emotions=codes("a=angry d=disgust f=fear h=happy s=sad"),
    sex=odd_is_male,
    excluded={"aesdd/s05 (3)": "cannot be read in the release"},
    title="Acted Emotional Speech Dynamic Database",
    url="https://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
    licence="not stated",
    citation="Vryzas et al., Journal of the Audio Engineering Society 2018",
    language="Greek",
    style="acted",
    clips=604,
    speakers=6,
    folders=("Acted Emotional Speech Dynamic Database",),
    layout=("anger/a01 (1).wav",),
    anomalies=("a few names end in b, or lack a bracket",),
)
