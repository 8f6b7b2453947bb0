"""MELD: turns of the series Friends, seven emotions, in parts that share the cast."""

from ser_classic.corpora.labels import LabelFile
from ser_classic.corpora.releases import Corpus, codes

MELD = Corpus(
    name="meld",
    pattern=(
        r"(?:^|/)(?P<partition>train|dev|test|output)[^/]*/(?:[^/]+/)*(?:final_videos_test)?"
        r"dia(?P<dialogue>\d+)_utt(?P<utterance>\d+)$"
    ),
    emotions=codes("neutral joy sadness anger fear disgust surprise"),
    clip="{partition}/dia{dialogue}_utt{utterance}",
    words={"partition": codes("output=test")},
    labels=LabelFile(
        "**/*_sent_emo.csv",
        key="{partition}/dia{Dialogue_ID}_utt{Utterance_ID}",
        columns={"Emotion": "label", "Speaker": "speaker"},
        of_name=r"(?P<partition>train|dev|test)_sent_emo",
        drop=("Sr No.", "Utterance", "Sentiment", "StartTime", "EndTime", "Season", "Episode"),
    ),
    title="Multimodal EmotionLines Dataset",
    url="https://github.com/declare-lab/MELD",
    licence="GPL-3.0 (labels); the sound is of the series Friends",
    citation="Poria et al., ACL 2019",
    language="English",
    style="dialogue of a television series",
    clips=13708,
    speakers=304,
    folders=("MELD.Raw",),
    layout=("train/dia0_utt0.wav", "dev/dia0_utt0.wav", "test/dia0_utt0.wav", "train_sent_emo.csv"),
    anomalies=(
        "it is video (MP4): extract the sound of each file into folders train, dev and test, such as with "
        "ffmpeg -i dia0_utt0.mp4 -ac 1 -ar 16000 dia0_utt0.wav",
        "its parts share the cast: 95.8 % of the test clips are of speakers heard in training",
        "several clips are broken, and many have laughter under the voice",
    ),
    obtain="download it from https://github.com/declare-lab/MELD and extract the sound",
)
