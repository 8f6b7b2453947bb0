"""ESD: ten Mandarin and ten English speakers, 350 sentences, five emotions."""

from ser_classic.corpora.releases import Corpus, by_name, codes


def _more(row: dict[str, str]) -> dict[str, str]:
    """Mandarin up to speaker 0010; the sentences of a speaker recur every 350 numbers."""
    language = "Mandarin" if int(row["speaker"]) <= 10 else "English"
    return {"language": language, "sentence": f"{language} {(int(row['number']) - 1) % 350 + 1}"}


ESD = Corpus(
    name="esd",
    pattern=(
        r"(?:^|/)(?P<speaker>00(?:0[1-9]|1\d|20))/(?P<emotion>Angry|Happy|Neutral|Sad|Surprise)"
        r"/(?:(?P<partition>train|evaluation|test)/)?\d{4}_(?P<number>\d{6})$"
    ),
    emotions=codes("Angry Happy Neutral Sad Surprise"),
    clip="{speaker}_{number}",
    sex=by_name(
        female="0001 0002 0003 0007 0009 0015 0016 0017 0018 0019",
        male="0004 0005 0006 0008 0010 0011 0012 0013 0014 0020",
    ),
    words={"partition": codes("evaluation=dev")},
    more=_more,
    title="Emotional Speech Dataset",
    url="https://github.com/HLTSingapore/Emotional-Speech-Data",
    licence="for research, by its own licence",
    access="request",
    citation="Zhou et al., ICASSP 2021",
    language="English, Mandarin",
    style="acted",
    clips=35000,
    speakers=20,
    folders=("Emotion Speech Dataset", "Emotional Speech Dataset (ESD)", "Emotional-Speech-Data"),
    layout=("0001/Angry/0001_000351.wav", "0001/Angry/train/0001_000371.wav"),
    anomalies=(
        "labels in the speakers' text files are Chinese in part: the folders tell the emotion",
        "its partition into train, evaluation and test has all speakers in every part",
    ),
)
