"""Polish emotional speech: five speakers, words, three emotions."""

from ser_classic.corpora.releases import Corpus, codes

POLISH = Corpus(
    name="polish",
    pattern=r"(?P<speaker>(?P<sex>[mf])\d)\.(?P<emotion>[ans])_(?P<sentence>[^_]+)_(?P<repetition>\d)",
    emotions=codes("a=angry n=neutral s=fear"),
    title="Polish emotional speech (Gdansk University of Technology)",
    url="https://doi.org/10.34808/h46c-hb44",
    licence="not stated",
    citation="Mięsikowska and Świsulski 2020. doi:10.34808/h46c-hb44",
    language="Polish",
    style="acted words",
    clips=450,
    speakers=5,
    layout=("m1.a_dom_1.wav",),
    anomalies=("the names hold a dot before the suffix's",),
)
