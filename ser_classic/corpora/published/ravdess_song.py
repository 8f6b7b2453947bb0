"""RAVDESS, the song part: 23 of the 24 actors, six emotions, sung."""

from ser_classic.corpora.published import ravdess
from ser_classic.corpora.releases import Corpus, codes, odd_is_male

RAVDESS_SONG = Corpus(
    name="ravdess_song",
    pattern=(
        r"03-02-(?P<emotion>0[1-6])-(?P<intensity>0[12])-(?P<sentence>0[12])-(?P<repetition>0[12])"
        r"-(?P<speaker>0[1-9]|1\d|2[0-4])"
    ),
    emotions=codes("01=neutral 02=calm 03=happy 04=sad 05=angry 06=fear"),
    clip="Actor_{speaker}/{stem}",
    sex=odd_is_male,
    words={"intensity": codes("01=normal 02=strong")},
    title="Ryerson Audio-Visual Database of Emotional Speech and Song, song",
    url="https://zenodo.org/records/1188976",
    licence="CC BY-NC-SA 4.0",
    citation=ravdess.RAVDESS.citation,
    language=ravdess.RAVDESS.language,
    style="acted, sung",
    clips=1012,
    speakers=23,
    folders=("Audio_Song_Actors_01-24",),
    layout=("Actor_01/03-02-05-01-02-01-01.wav",),
    anomalies=(
        "actor 18 does not sing",
        "one file is stereo",
        "92 clips are neutral, 184 of every other emotion",
        "its actors are those of ravdess: neither is another speaker to the other",
    ),
    same_speakers=("ravdess",),
    archive="https://zenodo.org/records/1188976/files/Audio_Song_Actors_01-24.zip?download=1",
)
