"""Published corpora: file names of each release, and tiny trees in its layout."""

import json
import re
from pathlib import PurePosixPath

import pytest
from tiny_corpus import touch

from ser_classic.corpora import CORPORA, CorpusError, load
from ser_classic.corpora.published import PUBLISHED, read
from ser_classic.errors import SerClassicError
from ser_classic.vocabulary import EMOTIONS

TOLD = """
ravdess | Actor_12/03-01-06-02-01-02-12.wav | clip=Actor_12/03-01-06-02-01-02-12, speaker=12, emotion=fear,
    label=fearful, sex=female, sentence=01, intensity=strong, repetition=02
ravdess | 03-01-08-01-02-01-07.flac | clip=Actor_07/03-01-08-01-02-01-07, sex=male, emotion=surprise
emodb | wav/03a01Fa.wav | clip=03a01Fa, speaker=03, emotion=happy, sex=male, sentence=a01
emodb | 14b10Wc.wav | speaker=14, emotion=angry, sex=female, sentence=b10, version=c
emodb | 16a07Ea.flac | emotion=disgust
emodb | 03a01fa.wav | clip=03a01Fa, emotion=happy
emodb | 12a05Ab.wav | emotion=fear, label=fear
emodb | 15b03Lc.wav | emotion=boredom, sex=male
emodb | 08b01Ta.wav | emotion=sad
tess | OAF_angry/OAF_back_angry.wav | clip=OAF_back_angry, speaker=OAF, emotion=angry, sentence=back
tess | YAF_pleasant_surprised/YAF_back_ps.wav | speaker=YAF, emotion=surprise, label=ps, sex=female
tess | x/y/OAF_Pleasant_surprise/OAF_witch_ps.wav | clip=OAF_witch_ps, emotion=surprise
tess | OAF_neutral/OA_bite_neutral.wav | clip=OA_bite_neutral, speaker=OAF, emotion=neutral
savee | AudioData/DC/sa07.wav | clip=DC_sa07, speaker=DC, emotion=sad, sex=male, sentence=sa07
savee | KL_su15.wav | clip=KL_su15, speaker=KL, emotion=surprise
savee | ALL/JE_a01.wav | speaker=JE, emotion=angry
savee | AudioData/JK/n30.wav | speaker=JK, emotion=neutral
crema_d | AudioWAV/1001_IEO_ANG_HI.wav | clip=1001_IEO_ANG_HI, speaker=1001, emotion=angry, sex=male,
    sentence=IEO, intensity=high
crema_d | 1091_WSI_NEU_XX.flac | speaker=1091, emotion=neutral, sex=female, intensity=unspecified
emovo | f1/dis-f1-b1.wav | clip=dis-f1-b1, speaker=f1, emotion=disgust, sex=female, sentence=b1
emovo | m3/gio-m3-n5.wav | speaker=m3, emotion=happy, label=gioia, sex=male
emovo | rab-m1-l4.wav | emotion=angry
emovo | m2/pau-m2-d2.wav | emotion=fear
ravdess_song | Actor_02/03-02-05-02-01-02-02.wav | clip=Actor_02/03-02-05-02-01-02-02, speaker=02,
    emotion=angry, sex=female, sentence=01, intensity=strong, repetition=02
cafe | Colère/Fort/01-C-2-3.wav | speaker=01, emotion=angry, sex=male, intensity=strong, sentence=3
cafe | Col\udce8re/12-P-1-6.flac | clip=12-P-1-6, emotion=fear, sex=female
esd | Emotion Speech Dataset/0011/Angry/0011_000351.wav | clip=0011_000351, speaker=0011, emotion=angry,
    sex=male, sentence=English 1, language=English
esd | 0001/Surprise/evaluation/0001_001401.wav | sex=female, language=Mandarin, partition=dev,
    sentence=Mandarin 1
iemocap | Session1/sentences/wav/Ses01F_script01_1/Ses01F_script01_1_M003.wav | clip=Ses01F_script01_1_M003,
    speaker=Ses01M, sex=male, session=01, style=scripted
iemocap | Ses05M_impro03_F017.wav | speaker=Ses05F, sex=female, style=improvised
iemocap | Ses05M_script01_1b_FXX2.wav | speaker=Ses05F
jl | female1_excited_10a_2.wav | speaker=female1, emotion=excited, sex=female, sentence=10a, repetition=2
polish | m3.s_dom_1.wav | clip=m3.s_dom_1, speaker=m3, emotion=fear, sentence=dom
subesco | F_02_MONIKA_S_2_SURPRISE_3].wav | clip=F_02_MONIKA_S_2_SURPRISE_3, speaker=F_02, emotion=surprise,
    sex=female
subesco | M_10_X_S_10_ANGRY_5.wav | speaker=M_10, emotion=angry, sentence=10
msp_improv | session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav | speaker=F01, session=01, sex=female, target=A,
    style=P
msp_podcast | Audios/MSP-PODCAST_0001_0008.wav | clip=MSP-PODCAST_0001_0008, show=0001
msp_podcast | MSP-PODCAST_2001_0008_0003.mp3 | segment=0008_0003
meld | train/train_splits/dia0_utt12.wav | clip=train/dia0_utt12, partition=train
meld | dev_splits_complete/dia3_utt0.wav | clip=dev/dia3_utt0, partition=dev
meld | output_repeated_splits_test/dia3_utt0.flac | clip=test/dia3_utt0, partition=test
meld | test/final_videos_testdia9_utt1.wav | clip=test/dia9_utt1
shemo | female/F21N05.wav | speaker=F21, emotion=neutral, sex=female, number=05
shemo | M01W03.wav | emotion=surprise, sex=male
enterface | subject 1/anger/sentence 3/s1_an_3.wav | clip=subject 1/anger/s1_an_3, speaker=1, emotion=angry,
    sentence=3
enterface | subject 6/happiness/s6_ha_1.wav | speaker=6, emotion=happy
enterface | subject 11/sadness/sentence 1/s12_sa_1.wav | speaker=11
nemo | samples/MP0_surprised_12.wav | speaker=MP0, emotion=surprise, sex=male
turev_db | Sound Source/Calm/1984_sk_masa.wav | clip=Calm/1984_sk_masa, speaker=1984, emotion=calm,
    sentence=masa
ased | sad/S2-03-01-01-09.wav | speaker=09, emotion=sad, sex=female, sentence=03
ased | n1-01-02-02-41.wav | emotion=neutral, sex=male, repetition=02
baved | 2/7-F-23-5-2-1043.wav | speaker=7, emotion=high, sex=female, sentence=5
aesdd | sadness/s05 (4).wav | clip=s05 (4), speaker=4, emotion=sad, sentence=05
aesdd | a19 (2)b.wav | speaker=2, emotion=angry, repetition=b
aesdd | h03 (05.wav | speaker=5, emotion=happy
emov_db | bea_Amused/amused_1-15_0001.wav | clip=bea/Amused/amused_1-15_0001, speaker=bea, emotion=amused,
    sex=female
emov_db | sam/Sleepy/sleepiness_1-28_0028.wav | emotion=sleepiness, sex=male, sentence=0028
emozionalmente | audio/1623234567890.wav | clip=1623234567890
urdu | Angry/SM4_F2_A054.flac | clip=SM4_F2_A054, speaker=SM4, emotion=angry, sex=male, number=054
synthetic | s03/s03-angry-t2-1.wav | clip=s03/s03-angry-t2-1, speaker=s03, emotion=angry,
    label=angry, sex=male, sentence=t2, take=1
synthetic | s12-sad-t1-2.flac | clip=s12/s12-sad-t1-2, sex=female
"""
# A corpus, a file name, and what that tells; a line that is indented goes on with it.
NAMES = [line.split(" | ") for line in re.sub(r"\n +", " ", TOLD).strip().splitlines()]

# Names of no clip: song in place of speech and the other way round, no such actor or emotion, and names that
# do not tell the speaker, the emotion or the part.
FOREIGN = """
ravdess | 03-02-05-01-01-01-01.wav | 01-01-05-01-01-01-01.mp4 | 03-01-05-01-01-01-25.wav
emodb | 03a01F.wav | 07a01Fa.wav | 03a01ga.wav
tess | OAF_back_surprise.wav | MAF_back_sad.wav
savee | a01.wav | XX/a01.wav | DC_x01.wav
crema_d | 1092_DFA_ANG_XX.wav | 1001_DFA_SUR_XX.wav
emovo | dis-f4-b1.wav | dis_f1_b1.wav
ravdess_song | 03-01-05-01-01-01-01.wav | 03-02-08-01-01-01-01.wav
cafe | 13-C-1-1.wav
esd | 0021/Angry/0021_000351.wav | 0011_000351.wav
iemocap | Ses06F_impro01_F000.wav
jl | female3_happy_10a_2.wav | female1_bored_10a_2.wav
polish | m3_s_dom_1.wav
subesco | F_02_MONIKA_S_2_CALM_3.wav
meld | dia0_utt12.wav
shemo | F21X05.wav
enterface | subject 1/boredom/sentence 1/s1_bo_1.wav
nemo | MP0_calm_12.wav
turev_db | Happy/kz_masa.wav
baved | 7-F-23-5-3-1043.wav
aesdd | x05 (4).wav
urdu | SM4_F2_B054.wav
synthetic | s13-sad-t1-1.wav | s03-calm-t1-1.wav | s03-sad-t4-1.wav | s03-sad-t1.wav
"""


@pytest.mark.parametrize(("name", "file", "told"), NAMES)
def test_file_name_tells(name, file, told):
    row = CORPORA[name].parse(PurePosixPath(file))
    assert {f"{key}={value}" for key, value in row.items()} >= set(told.split(", "))


@pytest.mark.parametrize("line", FOREIGN.strip().splitlines())
def test_foreign_file_name_is_no_clip(line):
    name, *files = line.split(" | ")
    assert [file for file in files if CORPORA[name].parse(PurePosixPath(file))] == []


@pytest.mark.parametrize("corpus", PUBLISHED, ids=lambda corpus: corpus.name)
def test_a_published_corpus_is_whole(corpus):
    """It shows how its files are called, says how to get it, and has two words at least."""
    assert any(corpus.parse(PurePosixPath(file)) for file in corpus.layout)
    assert corpus.citation
    assert corpus.url.startswith("http")
    assert corpus.access in ("open", "registration", "request")
    assert corpus.archive or corpus.files_url or corpus.obtain
    assert len(set(corpus.emotions.values())) > 1
    assert corpus.name == "baved" or set(corpus.emotions.values()) <= set(EMOTIONS)
    assert not set(corpus.left_out) & set(corpus.emotions)


def test_secondary_emotions_of_jl_are_left_out_and_known(tmp_path):
    touch(tmp_path, "female1_happy_1a_1.wav", "male2_angry_1a_1.wav", "male2_anxious_1a_1.wav")
    corpus = CORPORA["jl"]
    assert corpus.scan(tmp_path)["emotion"].tolist() == ["happy", "angry"]
    assert corpus.rows(tmp_path)["label"].tolist() == ["happy", "angry", "anxious"]
    assert "anxious" in corpus.left_out


EVALUATION = """% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
A-E3:\tval 3; act 2; dom  2;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M001\texc\t[4.0000, 3.5000, 2.5000]
[14.8872 - 18.0175]\tSes01F_impro01_F002\tfru\t[1.5000, 4.0000, 3.0000]
[19.2900 - 20.7875]\tSes01F_impro01_F003\txxx\t[2.5000, 3.0000, 3.0000]
"""


@pytest.fixture
def iemocap(tmp_path):
    wavs = tmp_path / "iemocap" / "Session1" / "sentences" / "wav" / "Ses01F_impro01"
    touch(wavs, *(f"Ses01F_impro01_{turn}.wav" for turn in ("F000", "M001", "F002", "F003")))
    place = tmp_path / "iemocap" / "Session1" / "dialog" / "EmoEvaluation"
    (place / "Categorical").mkdir(parents=True)
    (place / "Ses01F_impro01.txt").write_text(EVALUATION)
    (place / "._Ses01F_impro01.txt").write_bytes(b"\x00\x05\x16\x07")
    (place / "Categorical" / "Ses01F_impro01_e2_cat.txt").write_text("Ses01F_impro01_F000 :Anger; ()\n")
    return tmp_path


def test_iemocap_has_four_emotions_or_six_and_keeps_dimensions(iemocap):
    four = load("iemocap", iemocap).clips
    assert four["emotion"].to_dict() == {
        "iemocap/Ses01F_impro01_F000": "neutral",
        "iemocap/Ses01F_impro01_M001": "happy",
    }
    assert four["label"].tolist() == ["neu", "exc"]
    assert four["speaker"].tolist() == ["iemocap/Ses01F", "iemocap/Ses01M"]
    assert four[["arousal", "valence", "dominance", "session", "style"]].iloc[1].tolist() == [
        *("3.5000", "4.0000", "2.5000", "01", "improvised")
    ]
    six = load("iemocap6", iemocap).clips
    assert six["emotion"].tolist() == ["neutral", "frustrated", "excited"]
    assert set(four.index) <= set(six.index)


def test_msp_improv_takes_the_raters_label(tmp_path):
    name = "MSP-IMPROV-S01A-{}.wav"
    touch(tmp_path, *(f"session1/S01A/P/{name.format(turn)}" for turn in ("F01-P-FM01", "M01-P-FM01")))
    (tmp_path / "Evalution.txt").write_text(
        "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.800000; V:3.000000; D:3.200000 ; N:3.600000;\n"
        "R-E1; N; A:3; V:3; D:3; N:4;\n"
        "UTD-IMPROV-S01A-M01-P-FM01.avi; X; A:3.800000; V:2.000000; D:3.200000 ; N:3.600000;\n"
    )
    clips = CORPORA["msp_improv"].scan(tmp_path)
    assert clips[["emotion", "target", "arousal", "session"]].values.tolist() == [
        ["neutral", "A", "2.800000", "01"]
    ]


def test_msp_podcast_has_its_official_parts(tmp_path):
    touch(tmp_path, *(f"Audios/MSP-PODCAST_0001_000{number}.wav" for number in range(1, 6)))
    (tmp_path / "Labels").mkdir()
    (tmp_path / "Labels" / "labels_consensus.csv").write_text(
        "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"
        "MSP-PODCAST_0001_0001.wav,N,4.8,3.8,5.0,127,Male,Train\n"
        "MSP-PODCAST_0001_0002.wav,C,3.2,2.2,3.6,Unknown,Unknown,Development\n"
        "MSP-PODCAST_0001_0003.wav,O,3.2,2.2,3.6,128,Female,Test1\n"
        "MSP-PODCAST_0001_0004.wav,H,3.2,5.2,3.6,128,Female,Test1\n"
        "MSP-PODCAST_0001_0099.wav,H,3.2,5.2,3.6,128,Female,Test2\n"
    )
    clips = CORPORA["msp_podcast"].scan(tmp_path)
    assert clips["emotion"].tolist() == ["neutral", "contempt", "happy"]
    assert clips["partition"].tolist() == ["train", "dev", "test"]
    assert clips["sex"].fillna("").tolist() == ["male", "", "female"]
    assert clips["valence"].tolist() == ["3.8", "2.2", "5.2"]
    assert clips["speaker"].tolist() == [f"msp_podcast/{who}" for who in ("127", "Unknown", "128")]


def test_meld_tells_its_parts_apart_where_numbers_recur(tmp_path):
    touch(tmp_path, *(f"{part}/dia0_utt0.wav" for part in ("train", "dev", "test")))
    for part, speaker, emotion in (
        *(("train", "Chandler", "neutral"), ("dev", "Joey", "joy")),
        ("test", "Chandler", "disgust"),
    ):
        (tmp_path / f"{part}_sent_emo.csv").write_text(
            "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,"
            "EndTime\n"
            f'1,"also I was, you know",{speaker},{emotion},neutral,0,0,8,21,"00:16:16,059","00:16:21,731"\n'
        )
    clips = CORPORA["meld"].scan(tmp_path)
    assert clips["emotion"].to_dict() == {
        **{"meld/dev/dia0_utt0": "happy", "meld/test/dia0_utt0": "disgust", "meld/train/dia0_utt0": "neutral"}
    }
    assert clips["speaker"].tolist() == ["meld/Joey", "meld/Chandler", "meld/Chandler"]
    assert clips["partition"].tolist() == ["dev", "test", "train"]


def test_emozionalmente_is_told_by_its_samples(tmp_path):
    touch(tmp_path, "audio/1623234567890.wav", "audio/1623234567891.wav")
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "samples.csv").write_text(
        "file_name,sentence,sentence_language,actor,emotion_expressed\n"
        "1623234567890.wav,Vorrei il numero,it,12,joy\n1623234567891.wav,Non sono ancora,it,13,neutrality\n"
    )
    clips = CORPORA["emozionalmente"].scan(tmp_path)
    assert clips["emotion"].tolist() == ["happy", "neutral"]
    assert clips["speaker"].tolist() == ["emozionalmente/12", "emozionalmente/13"]
    assert clips["sentence"].tolist() == ["Vorrei il numero", "Non sono ancora"]


def test_corrected_labels_of_shemo_take_the_place_of_the_names(tmp_path):
    touch(tmp_path, "female/F01A01.wav", "female/F01N02.wav", "male/M01S01.wav")
    with pytest.raises(CorpusError, match="aliyzd95"):
        CORPORA["shemo_corrected"].scan(tmp_path)
    (tmp_path / "modified_shemo.json").write_text(
        json.dumps(
            {
                "F01A01": {"path": "female/F01A01.wav", "gender": "female", "emotion": "sadness"},
                "F01N02": {"path": "female/F01N02.wav", "gender": "female", "emotion": "neutral"},
            }
        )
    )
    assert CORPORA["shemo"].scan(tmp_path)["emotion"].tolist() == ["angry", "neutral", "sad"]
    corrected = CORPORA["shemo_corrected"].scan(tmp_path)
    assert corrected["emotion"].to_dict() == {"shemo/F01A01": "sad", "shemo/F01N02": "neutral"}


def test_unreadable_clip_of_aesdd_is_left_out(tmp_path):
    touch(tmp_path, "sadness/s05 (3).wav", "sadness/s05 (4).wav", "anger/a05 (4).wav")
    assert CORPORA["aesdd"].scan(tmp_path).index.tolist() == ["aesdd/a05 (4)", "aesdd/s05 (4)"]


def test_an_unknown_label_is_named(iemocap):
    place = iemocap / "iemocap" / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt"
    place.write_text(EVALUATION.replace("\tfru\t", "\tbored\t"))
    with pytest.raises(CorpusError, match=r"'bored' of iemocap/Ses01F_impro01_F002"):
        load("iemocap", iemocap)


def test_a_corpus_without_its_label_files_says_so(tmp_path):
    touch(tmp_path, "Ses01F_impro01_F000.wav")
    with pytest.raises(CorpusError, match="EmoEvaluation"):
        CORPORA["iemocap"].scan(tmp_path)


@pytest.mark.corpus
def test_real_urdu_is_whole(real):
    clips = real("urdu").clips
    assert (len(clips), clips["speaker"].nunique()) == (400, 29)
    assert set(clips["emotion"].value_counts()) == {100}
    assert (clips.groupby("speaker")["emotion"].nunique() == 1).sum() == 26


@pytest.mark.parametrize("line", ['emotion = "a=angry"', "clips = [", 'clips = "many"'])
def test_a_file_of_facts_that_are_none_is_named(tmp_path, line):
    (tmp_path / "mine.toml").write_text(f'name = "mine"\ntitle = "Mine"\n{line}\n')
    with pytest.raises(SerClassicError, match=r"mine"):
        read(tmp_path / "mine.toml")
