"""IEMOCAP: ten actors in five sessions of two, scripted and improvised."""

from __future__ import annotations

from ser_classic.corpora.labels import LabelFile
from ser_classic.corpora.releases import Release, published

_TASK = {"neu": "neutral", "hap": "happy", "sad": "sad", "ang": "angry"}
_RARE = {
    **{"sur": "surprise, 107 clips", "fea": "fear, 40 clips", "dis": "disgust, 2 clips", "oth": "other"},
    "xxx": "the raters did not agree",
}
# The letter after the session's number is who wears the markers; the last one is who speaks.
_PATTERN = (
    r"Ses(?P<session>0[1-5])[FM]_(?P<style>impro|script)(?P<scenario>\w+?)_(?P<sex>[FM])(?:XX)?(?P<turn>\d+)"
)
_LABELS = LabelFile(
    "**/EmoEvaluation/*.txt",
    key="clip",
    columns={"emotion": "label"},
    line=r"\[\d+\.\d+ - \d+\.\d+\]\t(?P<clip>\w+)\t(?P<emotion>\w+)"
    r"\t\[(?P<valence>[\d.]+), (?P<arousal>[\d.]+), (?P<dominance>[\d.]+)\]",
)


def _release(emotions: dict[str, str], left_out: dict[str, str]) -> Release:
    return Release(
        "iemocap",
        _PATTERN,
        emotions,
        left_out | _RARE,
        speaker="Ses{session}{sex}",
        words={"style": {"impro": "improvised", "script": "scripted"}},
        labels=_LABELS,
    )


_FACTS = {
    "title": "Interactive Emotional Dyadic Motion Capture Database",
    "url": "https://sail.usc.edu/iemocap/",
    "licence": "its own, on request",
    "access": "request",
    "citation": (
        "Busso C., Bulut M., Lee C.-C., Kazemzadeh A., Mower E., Kim S., Chang J.N., Lee S., Narayanan S.S. "
        "(2008). IEMOCAP: Interactive emotional dyadic motion capture database. Language Resources and "
        "Evaluation 42, 335-359"
    ),
    "language": "English",
    "style": "acted and improvised dialogue",
    "speakers": 10,
    "layout": (
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
    ),
    "anomalies": (
        "10039 clips, of which the standard task counts four emotions or six",
        "the letter after the session's number is who wears the markers, not who speaks",
        "scripted texts recur in every session: a test text was heard in training",
    ),
}

IEMOCAP = published(
    _release(_TASK | {"exc": "happy"}, {"fru": "frustration is none of the four of the standard task"}),
    clips=5531,
    folders=("IEMOCAP_full_release",),
    **_FACTS,
)
IEMOCAP6 = published(
    _release(_TASK | {"exc": "excited", "fru": "frustrated"}, {}),
    name="iemocap6",
    clips=7380,
    folders=("iemocap", "IEMOCAP_full_release"),
    part_of="iemocap",
    **(_FACTS | {"title": f"{_FACTS['title']}: six emotions"}),
)
