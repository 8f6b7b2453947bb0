"""EMO-DB, the Berlin database: ten German actors, ten sentences, seven emotions."""

from ser_classic.corpora.releases import Corpus, by_name, codes

# The second edition (2.0) offers all 816 recordings; scores are published on the 535 of the first, those
# that listeners recognised, and these alone are in the official list.
EMODB = Corpus(
    name="emodb",
    pattern=(
        r"(?P<speaker>03|08|09|1[0-6])(?P<sentence>a0[12457]|b0[1239]|b10)(?P<emotion>[WLEAFTN])"
        r"(?P<version>[a-z])"
    ),
    emotions=codes("anger boredom disgust fear happiness sadness neutral"),
    sex=by_name(female="08 09 13 14 16", male="03 10 11 12 15"),
    words={"emotion": codes("W=anger L=boredom E=disgust A=fear F=happiness T=sadness N=neutral")},
    checksums="emodb.tsv",
    title="Berlin Database of Emotional Speech",
    url="http://emodb.bilderbar.info",
    licence="CC0 1.0",
    citation=(
        "Burkhardt F., Paeschke A., Rolfes M., Sendlmeier W., Weiss B. (2005). A database of German "
        "emotional speech. Interspeech 2005, 1517-1520. doi:10.21437/Interspeech.2005-446"
    ),
    language="German",
    style="acted",
    clips=535,
    speakers=10,
    folders=("Berlin", "Berlin Database of Emotional Speech"),
    layout=("wav/03a01Fa.wav",),
    anomalies=(
        "speaker 08 has no disgust, and five cells of speaker and emotion have one or two clips",
        "the second edition has 816 files, of which the 535 of the first are counted",
    ),
    archive="http://emodb.bilderbar.info/download/download.zip",
)
