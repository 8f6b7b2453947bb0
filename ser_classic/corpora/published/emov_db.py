"""EmoV-DB: four English speakers, five emotions."""

from ser_classic.corpora.releases import Corpus, by_name, codes

EMOV_DB = Corpus(
    name="emov_db",
    pattern=(
        r"(?:^|/)(?P<speaker>bea|jenie|josh|sam)[_/](?P<emotion>Amused|Angry|Disgust(?:ed)?|Neutral|Sleepy)"
        r"/\w+?_[\d-]+_(?P<sentence>\d{4})$"
    ),
    emotions=codes("Amused Angry Disgusted Disgust Neutral Sleepy=sleepiness"),
    clip="{speaker}/{emotion}/{stem}",
    sex=by_name("bea jenie", "josh sam"),
    title="Emotional Voices Database",
    url="https://github.com/numediart/EmoV-DB",
    licence="its own, see its repository",
    citation="Adigwe et al. 2018",
    language="English",
    style="acted",
    clips=6887,
    speakers=4,
    layout=("bea_Amused/amused_1-15_0001.wav", "bea/Amused/amused_1-15_0001.wav"),
    anomalies=("josh has three of the five emotions",),
    obtain="download it as described at https://github.com/numediart/EmoV-DB",
)
