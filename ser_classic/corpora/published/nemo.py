"""nEMO: nine Polish actors, 90 sentences, six emotions."""

from __future__ import annotations

from ser_classic.corpora.releases import Archive, Release, by_name, published

NEMO = published(
    Release(
        "nemo",
        r"(?P<speaker>[A-Z]{2}0)_(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)_(?P<sentence>\d+)",
        {
            **{"anger": "angry", "fear": "fear", "happiness": "happy"},
            **{"neutral": "neutral", "sadness": "sad", "surprised": "surprise"},
        },
        sex=by_name("EB0 IC0 KD0 MK0", "KS0 MP0 SM0 TP0 WR0"),
    ),
    title="nEMO",
    url="https://github.com/amu-cai/nEMO",
    licence="CC BY-NC-SA 4.0",
    citation="Christop, LREC-COLING 2024",
    language="Polish",
    style="acted",
    clips=4481,
    speakers=9,
    layout=("samples/EB0_anger_1.wav",),
    anomalies=("speaker MK0 has no surprise; MP0 has 256 of 540 clips",),
    archive=Archive("https://github.com/amu-cai/nEMO/archive/HEAD.zip"),
)
