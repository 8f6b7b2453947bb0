"""MSP-IMPROV: twelve actors in six sessions of two."""

from ser_classic.corpora.labels import LabelFile
from ser_classic.corpora.releases import Corpus, codes

MSP_IMPROV = Corpus(
    name="msp_improv",
    pattern=(
        r"MSP-IMPROV-S(?P<sentence>\d\d)(?P<target>[AHNS])-(?P<speaker>(?P<sex>[FM])(?P<session>0[1-6]))"
        r"-(?P<style>[A-Z])-(?P<turn>[FM][FM]\d\d)"
    ),
    emotions=codes("A=angry H=happy S=sad N=neutral"),
    left_out={"O": "other", "X": "the raters did not agree"},
    labels=LabelFile(
        "**/Eval*tion.txt",
        key="MSP-IMPROV-{clip}",
        columns={"emotion": "label"},
        line=r"UTD-IMPROV-(?P<clip>\S+?)\.avi; (?P<emotion>[A-Z]); A:(?P<arousal>[\d.]+) ?; "
        r"V:(?P<valence>[\d.]+) ?; D:(?P<dominance>[\d.]+) ?; N:(?P<naturalness>\S+?) ?;",
    ),
    title="MSP-IMPROV",
    url="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Improv.html",
    licence="academic or commercial, on request",
    access="request",
    citation="Busso et al., IEEE Transactions on Affective Computing 2017",
    language="English",
    style="acted and improvised dialogue",
    speakers=12,
    layout=("session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav", "Evaluation.txt"),
    anomalies=(
        "8438 clips, of which those of four emotions are counted",
        "the label is the raters', not the letter in the name, which is what was to be acted (`target`)",
    ),
)
