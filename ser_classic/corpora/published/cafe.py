"""CaFE: twelve actors from Quebec, six sentences, seven emotions, two intensities."""

from ser_classic.corpora.releases import Corpus, codes, odd_is_male

CAFE = Corpus(
    name="cafe",
    pattern=r"(?P<speaker>0[1-9]|1[0-2])-(?P<emotion>[CDJNPST])-(?P<intensity>[12])-(?P<sentence>[1-6])",
    emotions=codes("C=angry D=disgust J=happy N=neutral P=fear S=surprise T=sad"),
    sex=odd_is_male,
    words={"intensity": codes("1=weak 2=strong")},
    title="Canadian French Emotional speech database",
    url="https://zenodo.org/records/1478765",
    licence="CC BY-NC-SA 4.0",
    citation="Gournay et al., ACM Multimedia Systems Conference 2018",
    language="French (Canada)",
    style="acted",
    clips=936,
    speakers=12,
    folders=("CaFE_48k", "CaFE_192k"),
    layout=("Colère/Fort/01-C-2-1.wav",),
    anomalies=(
        "folder names with accents come in several encodings; the names of files alone tell all",
        "neutral has one intensity",
    ),
)
