"""IEMOCAP: ten actors in five sessions of two, scripted and improvised."""

from dataclasses import replace

from ser_classic.corpora.labels import LabelFile
from ser_classic.corpora.releases import Corpus, codes

_RARE = {
    **{"sur": "surprise, 107 clips", "fea": "fear, 40 clips", "dis": "disgust, 2 clips", "oth": "other"},
    "xxx": "the raters did not agree",
}
# The letter after the session's number is who wears the markers; the last one is who speaks.
IEMOCAP = Corpus(
    name="iemocap",
    pattern=(
        r"Ses(?P<session>0[1-5])[FM]_(?P<style>impro|script)(?P<scenario>\w+?)_(?P<sex>[FM])(?:XX)?"
        r"(?P<turn>\d+)"
    ),
    emotions=codes("neu=neutral hap=happy sad ang=angry exc=happy"),
    left_out={"fru": "frustration is none of the four of the standard task"} | _RARE,
    speaker="Ses{session}{sex}",
    words={"style": codes("impro=improvised script=scripted")},
    labels=LabelFile(
        "**/EmoEvaluation/*.txt",
        key="clip",
        columns={"emotion": "label"},
        line=r"\[\d+\.\d+ - \d+\.\d+\]\t(?P<clip>\w+)\t(?P<emotion>\w+)"
        r"\t\[(?P<valence>[\d.]+), (?P<arousal>[\d.]+), (?P<dominance>[\d.]+)\]",
    ),
    title="Interactive Emotional Dyadic Motion Capture Database",
    url="https://sail.usc.edu/iemocap/",
    licence="its own, on request",
    access="request",
    citation=(
        "Busso C., Bulut M., Lee C.-C., Kazemzadeh A., Mower E., Kim S., Chang J.N., Lee S., Narayanan S.S. "
        "(2008). IEMOCAP: Interactive emotional dyadic motion capture database. Language Resources and "
        "Evaluation 42, 335-359"
    ),
    language="English",
    style="acted and improvised dialogue",
    clips=5531,
    speakers=10,
    folders=("IEMOCAP_full_release",),
    layout=(
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",
        "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
    ),
    anomalies=(
        "10039 clips, of which the standard task counts four emotions or six",
        "the letter after the session's number is who wears the markers, not who speaks",
        "scripted texts recur in every session: a test text was heard in training",
    ),
)
IEMOCAP6 = replace(
    IEMOCAP,
    name="iemocap6",
    part_of="iemocap",
    title=f"{IEMOCAP.title}: six emotions",
    emotions=codes("neu=neutral hap=happy sad ang=angry exc=excited fru=frustrated"),
    left_out=_RARE,
    clips=7380,
)
