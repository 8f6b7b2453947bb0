"""JL-Corpus: four speakers from New Zealand, five primary and five secondary emotions."""

from ser_classic.corpora.releases import Corpus, codes

_SECONDARY = "one of the five secondary emotions; the standard task has the primary ones"

JL = Corpus(
    name="jl",
    pattern=(
        r"(?P<speaker>(?P<sex>female|male)[12])_(?P<emotion>[a-z]+)_(?P<sentence>\d+[ab])"
        r"_(?P<repetition>[12])"
    ),
    emotions=codes("neutral happy sad angry excited"),
    left_out=dict.fromkeys(("anxious", "apologetic", "assertive", "concerned", "encouraging"), _SECONDARY),
    title="JL-Corpus",
    url="https://www.kaggle.com/datasets/tli725/jl-corpus",
    licence="CC0 1.0",
    citation="James et al., Interspeech 2018",
    language="English (New Zealand)",
    style="acted",
    clips=1200,
    speakers=4,
    folders=("JL-Corpus", "Raw JL corpus (unchecked and unannotated)"),
    layout=("female1_angry_10a_1.wav",),
    anomalies=("2400 clips of ten emotions; EmoBox counts all ten",),
)
