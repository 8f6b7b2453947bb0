"""TurEV-DB: six Turkish speakers, words, four emotions."""

from ser_classic.corpora.releases import Corpus, codes

TUREV_DB = Corpus(
    name="turev_db",
    pattern=r"(?:^|/)(?P<emotion>Angry|Calm|Happy|Sad)/(?P<speaker>\d{4})_(?P<code>kz|sk|mt|hl)_(?P<sentence>[^/]+)$",
    emotions=codes("Angry Calm Happy Sad"),
    clip="{emotion}/{stem}",
    title="Turkish Emotion-Voice Database",
    url="https://github.com/Xeonen/TurEV-DB",
    licence="CC BY-NC-ND 4.0 by its README, GPL by its LICENSE file",
    citation="Canpolat et al., SLTU 2020",
    language="Turkish",
    style="acted words",
    clips=1735,
    speakers=6,
    layout=("Sound Source/Angry/1157_kz_acele.wav",),
    anomalies=("speaker 1157 has angry and sad alone; 7895 has 29 happy clips",),
    archive="https://github.com/Xeonen/TurEV-DB/archive/HEAD.zip",
)
