"""TESS, the Toronto set: two actresses, 200 words in one carrier phrase, seven emotions."""

from __future__ import annotations

from ser_classic.corpora.releases import CHECKSUMS, Archive, Release, by_name, published


def _spelled(stem: str) -> str:
    speaker, _, rest = stem.partition("_")
    return f"{speaker.upper()}_{rest.lower()}"


# One official file, OA_bite_neutral.wav, lacks the F. Folders differ between packagings.
TESS = published(
    Release(
        "tess",
        r"(?P<speaker>OAF?|YAF)_(?P<sentence>[a-z]+)_(?P<emotion>[a-z]+)",
        {
            **{"angry": "angry", "disgust": "disgust", "fear": "fear", "happy": "happy"},
            **{"neutral": "neutral", "ps": "surprise", "sad": "sad"},
        },
        sex=by_name(female="OAF YAF", male=""),
        words={"speaker": {"OA": "OAF"}},
        spelled=_spelled,
        checksums=CHECKSUMS / "tess.tsv",
    ),
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
    archive=Archive(
        "https://borealisdata.ca/api/access/dataset/:persistentId/?persistentId=doi:10.5683/SP2/E8H2MF",
        file="dataverse_files.zip",
    ),
)
