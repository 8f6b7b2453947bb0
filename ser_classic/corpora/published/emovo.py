"""EMOVO: six Italian actors, fourteen sentences, seven emotions."""

from ser_classic.corpora.releases import Corpus, codes

_URL = "http://voice.fub.it/activities/corpora/emovo/index.html"

EMOVO = Corpus(
    name="emovo",
    pattern=r"(?P<emotion>[a-z]{3})-(?P<speaker>(?P<sex>[fm])[123])-(?P<sentence>[bln]\d|d\d)",
    emotions=codes(
        "neutro=neutral disgusto=disgust gioia=happy paura=fear rabbia=angry sorpresa=surprise tristezza=sad"
    ),
    words={
        "emotion": codes("neu=neutro dis=disgusto gio=gioia pau=paura rab=rabbia sor=sorpresa tri=tristezza")
    },
    spelled=str.lower,
    checksums="emovo.tsv",
    title="EMOVO, an Italian emotional speech database",
    url=_URL,
    licence="free for research",
    citation=(
        "Costantini G., Iaderola I., Paoloni A., Todisco M. (2014). EMOVO Corpus: an Italian emotional "
        "speech database. LREC 2014, 3501-3504"
    ),
    language="Italian",
    style="acted",
    clips=588,
    speakers=6,
    channel=0,
    folders=("EMOVO Corpus",),
    layout=("f1/dis-f1-b1.wav",),
    anomalies=(
        "two spaced microphones recorded each actor: the mean of the channels is a comb filter, so the left "
        "one is taken",
        "f1/rab-f1-b1 is mono",
    ),
    obtain=f"download it by hand, as described at {_URL}",
)
