"""eNTERFACE'05: 43 people of 14 nations, five sentences for each of six emotions, in English."""

from ser_classic.corpora.releases import Corpus, codes

ENTERFACE = Corpus(
    name="enterface",
    pattern=(
        r"(?:^|/)subject (?P<speaker>\d+)/(?P<emotion>anger|disgust|fear|happiness|sadness|surprise)"
        r"/(?:sentence (?P<sentence>[1-5])/)?[^/]+$"
    ),
    emotions=codes("anger disgust fear happiness sadness surprise"),
    clip="subject {speaker}/{emotion}/{stem}",
    title="eNTERFACE'05 Audio-Visual Emotion Database",
    url="https://enterface.net/enterface05/",
    licence="free for research",
    citation="Martin et al., ICDE Workshops 2006",
    language="English (14 nations)",
    style="elicited",
    clips=1293,
    speakers=43,
    folders=("enterface05", "enterface database"),
    layout=("subject 1/anger/sentence 1/s1_an_1.wav",),
    anomalies=(
        "it is video (AVI): extract the sound of each file beside it or into the same folders, such as with "
        "ffmpeg -i s1_an_1.avi s1_an_1.wav",
        "the folders are right where names are not: the files of subject 11 are called s12, of which "
        "there is no folder",
        "subject 6 is not cut into sentences",
    ),
    obtain="download it from https://enterface.net/enterface05/ and extract the sound",
)
