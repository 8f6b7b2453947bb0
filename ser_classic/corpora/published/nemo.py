"""nEMO: nine Polish actors, 90 sentences, six emotions."""

from ser_classic.corpora.releases import Corpus, by_name, codes

NEMO = Corpus(
    name="nemo",
    pattern=r"(?P<speaker>[A-Z]{2}0)_(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)_(?P<sentence>\d+)",
    emotions=codes("anger fear happiness neutral sadness surprised"),
    sex=by_name("EB0 IC0 KD0 MK0", "KS0 MP0 SM0 TP0 WR0"),
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
    archive="https://github.com/amu-cai/nEMO/archive/HEAD.zip",
)
