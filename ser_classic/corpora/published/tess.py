"""TESS, the Toronto set: two actresses, 200 words in one carrier phrase, seven emotions."""

from ser_classic.corpora.releases import Corpus, by_name, codes


def _spelled(stem: str) -> str:
    speaker, _, rest = stem.partition("_")
    return f"{speaker.upper()}_{rest.lower()}"


# One official file, OA_bite_neutral.wav, lacks the F. Folders differ between packagings.
TESS = Corpus(
    name="tess",
    pattern=r"(?P<speaker>OAF?|YAF)_(?P<sentence>[a-z]+)_(?P<emotion>[a-z]+)",
    emotions=codes("angry disgust fear happy neutral ps sad"),
    sex=by_name(female="OAF YAF"),
    words={"speaker": codes("OA=OAF")},
    spelled=_spelled,
    checksums="tess.tsv",
    title="Toronto Emotional Speech Set",
    url="https://doi.org/10.5683/SP2/E8H2MF",
    licence="CC BY-NC-ND 4.0",
    citation=(
        "Pichora-Fuller M.K., Dupuis K. (2020). Toronto emotional speech set (TESS). Scholars Portal "
        "Dataverse. doi:10.5683/SP2/E8H2MF"
    ),
    language="English (Canada)",
    style="acted",
    clips=2800,
    speakers=2,
    folders=("TESS Toronto emotional speech set data", "Toronto emotional speech set"),
    layout=("OAF_angry/OAF_back_angry.wav",),
    anomalies=(
        "two files are AIFF under a .wav name, and one has 96 kHz where the others have 24 414 Hz",
        "OA_bite_neutral.wav lacks its F; folders differ between packagings",
    ),
    archive="https://borealisdata.ca/api/access/dataset/:persistentId/?persistentId=doi:10.5683/SP2/E8H2MF#dataverse_files.zip",
)
