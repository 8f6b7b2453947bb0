"""SUBESCO: 20 Bangla actors, ten sentences, seven emotions."""

from ser_classic.corpora.releases import Corpus, codes

SUBESCO = Corpus(
    name="subesco",
    pattern=(
        r"(?P<speaker>(?P<sex>[FM])_\d\d)_(?P<given_name>[A-Z]+)_S_(?P<sentence>\d+)"
        r"_(?P<emotion>ANGRY|DISGUST|FEAR|HAPPY|NEUTRAL|SAD|SURPRISE)_(?P<repetition>\d+)\]?"
    ),
    emotions=codes("ANGRY DISGUST FEAR HAPPY NEUTRAL SAD SURPRISE"),
    clip="{speaker}_{given_name}_S_{sentence}_{emotion}_{repetition}",
    title="SUST Bangla Emotional Speech Corpus",
    url="https://zenodo.org/records/4526477",
    licence="CC BY 4.0",
    citation="Sultana et al., PLoS ONE 2021",
    language="Bangla",
    style="acted",
    clips=7000,
    speakers=20,
    layout=("F_01_OISHI_S_1_ANGRY_1.wav",),
    anomalies=(
        "one name ends in a bracket: F_02_MONIKA_S_2_SURPRISE_3].wav",
        "numbers run from 01 to 10 for women and for men: the speaker is letter and number",
    ),
)
