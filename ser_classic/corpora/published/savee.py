"""SAVEE, the Surrey database: four English men, 120 sentences each, seven emotions."""

from __future__ import annotations

from ser_classic.corpora.releases import CHECKSUMS, Release, by_name, published

# Sentences are numbered within an emotion: a01 is one sentence, spoken by all, but not that of d01. The
# speaker is the folder, or in front of the name where all files lie in one folder.
SAVEE = published(
    Release(
        "savee",
        r"(?:^|/)(?P<speaker>DC|JE|JK|KL)[/_](?P<sentence>(?P<emotion>a|d|f|h|n|sa|su)\d\d)$",
        {
            **{"anger": "angry", "disgust": "disgust", "fear": "fear", "happiness": "happy"},
            **{"neutral": "neutral", "sadness": "sad", "surprise": "surprise"},
        },
        whole=True,
        clip="{speaker}_{sentence}",
        sex=by_name(female="", male="DC JE JK KL"),
        words={
            "emotion": {
                **{"a": "anger", "d": "disgust", "f": "fear", "h": "happiness"},
                **{"n": "neutral", "sa": "sadness", "su": "surprise"},
            }
        },
        checksums=CHECKSUMS / "savee.tsv",
    ),
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
