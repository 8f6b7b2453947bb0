"""Tracks: what may be known of test clips; apart in every report, and a plug-in's needs only an entry."""

from dataclasses import replace

import made_up_runs as made_up
import numpy as np
import pandas as pd
import pytest
from sklearn.svm import LinearSVC

from ser_classic import report
from ser_classic.adaptation import adapt, evened, self_taught
from ser_classic.errors import SerClassicError
from ser_classic.experiment.evaluation import evaluate
from ser_classic.experiment.fold import Trial, learn
from ser_classic.experiment.preparation import labels_of
from ser_classic.features.inputs import Features
from ser_classic.models import MODELS, Model
from ser_classic.protocols import PROTOCOLS, Protocol, leave_one_speaker_out
from ser_classic.report.board import scored
from ser_classic.report.conditions import cross_chapter
from ser_classic.report.page import page
from ser_classic.report.text import best_systems
from ser_classic.tracks import LEAKY, TRACKS, Track, in_order

ROOM = Track(
    "room", "features are scaled by the clips of a room", "#cc79a7", "scaled", by="room", label="of a room"
)


@pytest.fixture(scope="module")
def pair():
    """Clips of two corpora, to train on and to test on, and features that tell their emotions a little."""
    rows = [
        (f"{corpus}/{speaker}{number}", corpus, f"{corpus}/{speaker}", emotion)
        for corpus, other in (("emodb", "boredom"), ("mine", "happy"))
        for speaker in "abc"
        for emotion in ("angry", "sad", other)
        for number in (f"{emotion}{place}" for place in range(8))
    ]
    clips = pd.DataFrame(rows, columns=["clip", "corpus", "speaker", "emotion"]).set_index("clip")
    random = np.random.default_rng(0)
    values = random.normal(size=(len(clips), 4)) + 0.5 * pd.factorize(clips["emotion"])[0][:, None]
    return clips, Features(clips.index, tuple("abcd"), values.astype(np.float32))


def sad_of(clips, features, track="adapted_corpus"):
    ending = "" if track == "blind" else f"_{track}"
    table = evaluate(clips, features, MODELS["ridge"], PROTOCOLS[f"cross_from_emodb{ending}"])
    return table.set_index("clip")["p_sad"]


def with_an_offset(features, moved):
    values = np.where(moved.to_numpy()[:, None], 3 * features.values + 7, features.values)
    return replace(features, values=values.astype(np.float32))


@pytest.mark.parametrize("corpus", ["emodb", "mine"])
def test_what_a_whole_corpus_has_in_common_is_gone_on_either_side(pair, corpus):
    """What one speaker has of his own stays."""
    clips, features = pair
    expected = sad_of(clips, features)
    again = sad_of(clips, with_an_offset(features, clips["corpus"] == corpus))
    np.testing.assert_allclose(again, expected, atol=1e-4)
    again = sad_of(clips, with_an_offset(features, clips["speaker"] == f"{corpus}/a"))
    assert np.abs(again - expected).max() > 0.05


def test_the_statistics_are_those_of_all_clips_of_the_corpus_alone(pair):
    """Of emotions that are not tested, too: to leave them out, one would have to know the labels."""
    clips, features = pair
    protocol = PROTOCOLS["cross_from_emodb_adapted_corpus"]
    (fold,) = protocol.folds(clips)
    trial = Trial("", (features,), labels_of(clips), [fold], MODELS["ridge"], protocol)
    scaled = learn(trial, fold).scaled.values
    for name in ("emodb", "mine"):
        own = (clips["corpus"] == name).to_numpy()
        expected = adapt(features.values[own], np.zeros(own.sum(), dtype=int))
        np.testing.assert_array_equal(scaled[own], expected)
    assert len(fold.test) < (clips["corpus"] == "mine").sum()


@pytest.mark.parametrize(
    ("track", "share"),
    [("evened", lambda own, values: evened(own)), ("self_taught", self_taught)],
)
def test_probabilities_are_shared_out_over_each_test_speaker(pair, track, share):
    clips, features = pair
    apart = 2 * pd.factorize(clips["emotion"])[0] - clips["corpus"].eq("mine").to_numpy()
    features = replace(features, values=(features.values + apart[:, None]).astype(np.float32))
    blind, shared = (
        evaluate(clips, features, MODELS["ridge"], PROTOCOLS[f"cross_from_emodb{ending}"]).set_index("clip")
        for ending in ("", f"_{track}")
    )
    columns = [name for name in blind if name.startswith("p_")]
    for _, own in blind.groupby(clips["speaker"]):
        expected = share(own[columns].to_numpy(), features.values[clips.index.get_indexer(own.index)])
        np.testing.assert_allclose(shared.loc[own.index, columns], expected, atol=1e-12)
        assert np.abs(expected - own[columns]).max().max() > 0.01
    assert list(shared["guess"]) == list(shared[columns].idxmax(axis=1).str.removeprefix("p_"))


@pytest.mark.parametrize("track", ["evened", "self_taught"])
def test_a_model_without_probabilities_cannot_be_evened_out(pair, track):
    clips, features = pair
    model = Model("bare", "no probabilities", lambda seed: LinearSVC())
    with pytest.raises(SerClassicError, match=r"bare .*probabilities"):
        evaluate(clips, features, model, PROTOCOLS[f"cross_from_emodb_{track}"])


@pytest.mark.parametrize("track", list(TRACKS))
def test_labels_of_test_clips_change_no_prediction(pair, track):
    clips, features = pair
    expected = sad_of(clips, features, track)
    tested = np.flatnonzero(clips.index.isin(expected.index))
    emotions = clips["emotion"].to_numpy(dtype=object)
    emotions[tested] = emotions[tested[::-1]]
    assert (emotions != clips["emotion"]).any()
    pd.testing.assert_series_equal(sad_of(clips.assign(emotion=emotions), features, track), expected)


def test_every_crossing_is_on_every_track_of_crossings():
    crossings = [protocol for protocol in PROTOCOLS.values() if protocol.trained_on]
    by_test = {}
    for each in crossings:
        by_test.setdefault((each.base, each.copies), set()).add(each.track)
    assert len(by_test) > 25
    assert all(tracks == set(TRACKS) for tracks in by_test.values())


def crossed(track):
    ending = "" if track == "blind" else f"_{track}"
    return made_up.run(
        "emodb",
        f"cross_from_tess{ending}",
        "pooled",
        "svm_rbf",
        emotions="neutral happy sad angry fear disgust",
        kind=(track, False, 0.0),
        base="cross_from_tess",
        trained_on=["tess"],
    )


def test_a_crossing_has_a_column_a_track_and_says_what_each_knows():
    runs = scored(map(crossed, sorted(TRACKS)), made_up.clips)
    chapter = cross_chapter(runs)
    (table,) = chapter.tables
    names = ["blind", "adapted", "evened out", "self-taught", "adapted to the corpus"]
    assert list(table.headings[3:]) == names
    uars = runs.set_index("track")["uar"]
    (row,) = table.rows
    assert [cell.value for cell in row[3:]] == [uars[track] for track in TRACKS]
    assert all(TRACKS[track].title in chapter.about for track in TRACKS)
    titles = [ax.get_title() or ax.get_title("left") for ax in chapter.pictures[0].draw().axes]
    assert titles == names


def test_tracks_are_ranked_apart_in_their_order_and_one_not_installed_is_not_lost():
    """A run of a further track, even of one that is in no table, stands in no ranking of another."""
    made = [made_up.run("emodb", protocol, "pooled", "knn") for protocol in ("loso", "random5")]
    for track in ("moon", "adapted_corpus", "adapted"):
        kind = (track, False, 3.0)
        made.append(made_up.run("emodb", f"loso_{track}", "pooled", "svm_rbf", kind=kind, base="loso"))
    board = scored(made, made_up.clips)
    assert list(board["track"]) == ["blind", "adapted", "adapted_corpus", "moon", "blind"]
    assert in_order(["moon", "leaky", *TRACKS]) == [*TRACKS, "moon", "leaky"]
    text = report.markdown(report.systems(board))
    places = [
        text.index(f"### {name}, ") for name in ("Blind", "Adapted", "Adapted to the corpus", "Moon", "Leaky")
    ]
    assert places == sorted(places)
    best = [row[1].text for row in best_systems(report.systems(board)).rows]
    assert best[:4] == ["blind", "adapted", "adapted to the corpus", "moon"]
    html = page(board, report.systems(board))
    assert f"--colour:var(--adapted_corpus,color-mix(in srgb,{TRACKS['adapted_corpus'].colour} " in html
    assert 'data-track="adapted to the corpus" data-protocol="loso_adapted_corpus"' in html
    with pytest.raises(SerClassicError, match="one track"):
        report.compare(made[0], made[3], made_up.clips("ravdess"))


def test_a_further_track_needs_nothing_but_its_entry(pair):
    plain, features = pair[0].iloc[:72], pair[1].take(np.arange(72))
    clips = plain.assign(room=np.where(plain["speaker"] == "emodb/a", "hall", "den"))
    with TRACKS.also([ROOM]):
        protocol = Protocol("loso_room", "", leave_one_speaker_out, track="room")
        expected = evaluate(clips, features, "ridge", protocol)["p_sad"]
        moved = with_an_offset(features, clips["room"] == "hall")
        np.testing.assert_allclose(evaluate(clips, moved, "ridge", protocol)["p_sad"], expected, atol=1e-4)
        with pytest.raises(SerClassicError, match=r"emodb: .*room"):
            protocol.folds(plain)
        with pytest.raises(SerClassicError, match=r"emodb: .*cell "):
            protocol.folds(clips.assign(room=["cell", *clips["room"][1:]]))
        with pytest.raises(SerClassicError, match="room"):
            protocol.splitter(clips)
        run = made_up.run("emodb", "loso_room", "pooled", "knn", kind=("room", False, 0.0))
        text = report.markdown(report.systems(scored([run], made_up.clips)))
    assert f"### Of a room, loso_room: {ROOM.title}" in text


@pytest.mark.parametrize("column", ["emotion", "label", "arousal"])
def test_a_track_that_knows_the_answer_is_refused(column):
    with pytest.raises(SerClassicError, match=column):
        Track("oracle", "", "#000000", "scaled", by=column)


@pytest.mark.parametrize("wrong", [("scaled", ""), ("", "room"), ("scale", "room")])
def test_a_track_has_a_known_method_and_its_column_or_neither(wrong):
    with pytest.raises(SerClassicError, match=r"odd: .*scaled"):
        Track("odd", "", "#000000", *wrong)


@pytest.mark.parametrize("colour", ["purple", "", "#fff", "#12345g"])
def test_a_track_that_no_figure_could_show_is_refused(colour):
    with pytest.raises(SerClassicError, match=r"odd: .*#rrggbb"):
        Track("odd", "", colour)


def test_every_track_has_a_title_and_a_colour_of_its_own():
    every = [*TRACKS.values(), LEAKY]
    for name in ("title", "colour", "label"):
        assert len({getattr(track, name) for track in every}) == len(every)
    assert all(track.title for track in every)


def test_a_package_adds_a_corpus_a_degradation_a_track_and_a_protocol_on_it(tmp_path, python):
    """The corpus is asked for first, so its module is imported before the tables of tracks and protocols."""
    (tmp_path / "planted.py").write_text(
        "from ser_classic.corpora import Corpus\n"
        "from ser_classic.degradations import Degradation\n"
        "from ser_classic.protocols import Protocol, leave_one_speaker_out\n"
        "from ser_classic.tracks import Track\n"
        "CORPUS = Corpus('planted', 'Planted', licence='none', table=print)\n"
        "HALF = Degradation('half', 'gain', '-6 dB', lambda waveform, random: waveform / 2)\n"
        "TRACK = Track('room', 'a room is known', '#cc79a7', 'scaled', by='room')\n"
        "PROTOCOL = Protocol('rooms', 'by room', leave_one_speaker_out, track='room')\n"
    )
    described = tmp_path / "planted-1.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1\n")
    (described / "entry_points.txt").write_text(
        "[ser_classic.corpora]\nentry = planted:CORPUS\n"
        "[ser_classic.degradations]\nentry = planted:HALF\n"
        "[ser_classic.protocols]\nentry = planted:PROTOCOL\n"
        "[ser_classic.tracks]\nentry = planted:TRACK\n"
    )
    script = (
        "from ser_classic.corpora import CORPORA\n"
        "print(CORPORA['planted'].title)\n"
        "from ser_classic.protocols import PROTOCOLS\n"
        "print(PROTOCOLS['rooms'].knows.title, PROTOCOLS['loso_degraded_half'].degradation)\n"
    )
    done = python(script, PYTHONPATH=str(tmp_path))
    assert (done.stdout, done.stderr) == ("Planted\na room is known half\n", "")
