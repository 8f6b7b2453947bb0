"""CREMA-D: 91 American actors, twelve sentences, six emotions, three levels of one sentence."""

from ser_classic.corpora.releases import Corpus, codes

# VideoDemographics.csv of the release: 43 women, 48 men
_FEMALE = """
1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 1037 1043 1046 1047
1049 1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 1091
"""
_MISNAMED = {"1040_ITH_SAD_X": "1040_ITH_SAD_XX"}  # in copies from elsewhere
_CONFLICTS = (  # of each pair one label is wrong, and nothing tells which
    ("crema_d/1006_TIE_HAP_XX", "crema_d/1006_TIE_NEU_XX"),
    ("crema_d/1013_WSI_DIS_XX", "crema_d/1013_WSI_SAD_XX"),
    ("crema_d/1017_IWW_ANG_XX", "crema_d/1017_IWW_FEA_XX"),
)


def _sex(speaker: str) -> str:
    return "female" if speaker in _FEMALE.split() else "male"


def _spelled(stem: str) -> str:
    return _MISNAMED.get(stem, stem)


CREMA_D = Corpus(
    name="crema_d",
    pattern=(
        r"(?P<speaker>10[0-8]\d|109[01])_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})"
        r"_(?P<intensity>LO|MD|HI|XX)"
    ),
    emotions=codes("ANG=angry DIS=disgust FEA=fear HAP=happy NEU=neutral SAD"),
    sex=_sex,
    words={"intensity": codes("LO=low MD=medium HI=high XX=unspecified")},
    excluded={
        "crema_d/1076_MTI_SAD_XX": "no audio in the release",
        **{
            clip: f"the same recording as {other.split('/')[1]}, under another emotion"
            for pair in _CONFLICTS
            for clip, other in (pair, pair[::-1])
        },
    },
    spelled=_spelled,
    checksums="crema_d.tsv.gz",
    title="Crowd-sourced Emotional Multimodal Actors Dataset",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    licence="Open Database License 1.0",
    citation=(
        "Cao H., Cooper D.G., Keutmann M.K., Gur R.C., Nenkova A., Verma R. (2014). CREMA-D: Crowd-sourced "
        "emotional multimodal actors dataset. IEEE Transactions on Affective Computing 5(4), 377-390. "
        "doi:10.1109/TAFFC.2014.2336244"
    ),
    language="English (North America)",
    style="acted",
    clips=7442,
    speakers=91,
    folders=("AudioWAV", "CREMA"),
    layout=("AudioWAV/1001_DFA_ANG_XX.wav",),
    identical=_CONFLICTS,
    anomalies=("copies from elsewhere call one file 1040_ITH_SAD_X.wav",),
    files_url="https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master/",
)
