"""URDU: talk shows, the one spontaneous corpus here, four emotions."""

from ser_classic.corpora.releases import Corpus, codes

URDU = Corpus(
    name="urdu",
    pattern=r"(?P<speaker>S(?P<sex>[MF])\d+)_F(?P<take>\d+)_(?P<emotion>[AHNS])(?P<number>\d+)",
    emotions=codes("A=angry H=happy N=neutral S=sad"),
    title="URDU, an Urdu speech emotion database",
    url="https://github.com/siddiquelatif/URDU-Dataset",
    licence="for research",
    citation="Latif et al., FIT 2018",
    language="Urdu",
    style="natural, talk shows",
    clips=400,
    speakers=29,
    folders=("URDU-Dataset",),
    layout=("Angry/SM1_F1_A01.wav",),
    anomalies=(
        "its README says 38 speakers, its names hold 29",
        "26 of the 29 speakers have one emotion alone: random splits measure speakers, folds that leave one "
        "speaker out hold one class, and z-scores by speaker take the emotion away with the voice",
    ),
    archive="https://github.com/siddiquelatif/URDU-Dataset/archive/HEAD.zip",
)
