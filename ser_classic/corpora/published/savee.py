"""SAVEE, the Surrey database: four English men, 120 sentences each, seven emotions."""

from ser_classic.corpora.releases import Corpus, by_name, codes

# Sentences are numbered within an emotion: a01 is one sentence, spoken by all, but not that of d01. The
# speaker is the folder, or in front of the name where all files lie in one folder.
SAVEE = Corpus(
    name="savee",
    pattern=r"(?:^|/)(?P<speaker>DC|JE|JK|KL)[/_](?P<sentence>(?P<emotion>a|d|f|h|n|sa|su)\d\d)$",
    emotions=codes("anger disgust fear happiness neutral sadness surprise"),
    clip="{speaker}_{sentence}",
    sex=by_name(male="DC JE JK KL"),
    words={"emotion": codes("a=anger d=disgust f=fear h=happiness n=neutral sa=sadness su=surprise")},
    checksums="savee.tsv",
    title="Surrey Audio-Visual Expressed Emotion database",
    url="http://kahlan.eps.surrey.ac.uk/savee/",
    licence="free for research, on registration",
    access="registration",
    citation=(
        "Haq S., Jackson P.J.B. (2009). Speaker-dependent audio-visual emotion recognition. AVSP 2009, 53-58"
    ),
    language="English (Britain)",
    style="acted",
    clips=480,
    speakers=4,
    folders=("SAVEE Database", "AudioData"),
    layout=("AudioData/DC/a01.wav",),
    anomalies=("about a hundred clips are clipped, and loudness varies by more than 30 dB",),
    obtain=(
        "register at http://kahlan.eps.surrey.ac.uk/savee/ and download the audio (AudioData.zip) "
        "with the password you are sent"
    ),
)
