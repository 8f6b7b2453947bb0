"""MSP-Podcast: turns of podcasts, rated by a crowd, in official parts."""

from ser_classic.corpora.labels import LabelFile
from ser_classic.corpora.releases import Corpus, codes

MSP_PODCAST = Corpus(
    name="msp_podcast",
    pattern=r"MSP-PODCAST_(?P<show>\d{4})_(?P<segment>\d{4}(?:_\d+)?)",
    emotions=codes("A=angry S=sad H=happy U=surprise F=fear D=disgust C=contempt N=neutral"),
    left_out={"O": "other", "X": "the raters did not agree"},
    labels=LabelFile(
        "**/labels_consensus.csv",
        key="FileName",
        columns={
            **{"EmoClass": "label", "SpkrID": "speaker", "Gender": "sex", "Split_Set": "partition"},
            **{"EmoAct": "arousal", "EmoVal": "valence", "EmoDom": "dominance"},
        },
        values={
            "partition": codes(
                "Train=train Development=dev Validation=dev Test1=test Test2=test2 Test3=test3"
            )
        },
    ),
    title="MSP-Podcast",
    url="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html",
    licence="academic or commercial, on request",
    access="request",
    citation="Lotfian and Busso, IEEE Transactions on Affective Computing 2019",
    language="English",
    style="natural, podcasts",
    layout=("Audios/MSP-PODCAST_0001_0008.wav", "Labels/labels_consensus.csv"),
    anomalies=(
        "releases differ in size: 1.11 has 149307 clips of 2172 speakers",
        "speakers that nobody knows are all called Unknown, and are taken for one",
        "the first test set is tested; Test2 and Test3 stand in the table as test2 and test3",
    ),
)
