"""RAVDESS, the speech part: 24 Canadian actors, two sentences, eight emotions, two intensities."""

from dataclasses import replace

from ser_classic.corpora.releases import Corpus, codes, odd_is_male

# modality 03 is audio only, vocal channel 01 is speech (02 is song, another corpus)
RAVDESS = Corpus(
    name="ravdess",
    pattern=(
        r"03-01-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<sentence>0[12])-(?P<repetition>0[12])"
        r"-(?P<speaker>0[1-9]|1\d|2[0-4])"
    ),
    emotions=codes("neutral calm happy sad angry fearful disgust surprised"),
    clip="Actor_{speaker}/{stem}",
    sex=odd_is_male,
    words={
        "emotion": codes("01=neutral 02=calm 03=happy 04=sad 05=angry 06=fearful 07=disgust 08=surprised"),
        "intensity": codes("01=normal 02=strong"),
    },
    checksums="ravdess.tsv",
    title="Ryerson Audio-Visual Database of Emotional Speech and Song, speech",
    url="https://zenodo.org/records/1188976",
    licence="CC BY-NC-SA 4.0",
    citation=(
        "Livingstone S.R., Russo F.A. (2018). The Ryerson Audio-Visual Database of Emotional Speech and "
        "Song. PLoS ONE 13(5): e0196391. doi:10.1371/journal.pone.0196391"
    ),
    language="English (North America)",
    style="acted",
    clips=1440,
    speakers=24,
    folders=("Audio_Speech_Actors_01-24", "RAVDESS_speech"),
    identical=(("ravdess/Actor_07/03-01-03-01-02-01-07", "ravdess/Actor_07/03-01-03-01-02-02-07"),),
    same_speakers=("ravdess_song",),
    layout=("Actor_01/03-01-01-01-01-01-01.wav",),
    anomalies=(
        "five files are stereo with two equal channels",
        "twelve clips of actors 09 and 20 lie below -60 dBFS",
        "two takes of actor 07 are identical, of one label",
        "there is no strong neutral",
    ),
    archive="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip?download=1",
    archive_digest="md5:bc696df654c87fed845eb13823edef8a",
)
RAVDESS4 = replace(  # to which published recipes confine themselves
    RAVDESS,
    name="ravdess4",
    part_of="ravdess",
    title=f"{RAVDESS.title}: calm, happy, fear, disgust only",
    emotions=codes("calm happy fearful disgust"),
    left_out=dict.fromkeys(("neutral", "sad", "angry", "surprised"), "none of the four of the recipes"),
    clips=768,
)
