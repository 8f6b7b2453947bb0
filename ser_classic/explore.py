"""Explore: a corpus or a recording as one page with figures."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_classic import audio
from ser_classic.corpora import Loaded, ordered, parts
from ser_classic.corpora.warnings import by_speaker, warnings_of
from ser_classic.errors import SerClassicError
from ser_classic.features.extraction import Features
from ser_classic.runtime.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 2000  # of a projection; more hide each other, and take long
SHOWN = 6  # distributions
SEED = 0
HEARD = 60.0  # [s] of a recording that its page plays


@dataclass(frozen=True)
class Part:
    """A figure with its caption, and a table under it or nothing."""

    name: str
    title: str
    caption: str
    figure: Figure
    table: str = ""

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from ser_classic.plots.style import svg

        drawn = svg(self.figure)
        text = f"<h3>{escape(self.title)}</h3><p>{escape(self.caption)}</p>"
        return f"{text}{drawn[drawn.index('<svg') :]}{self.table}"


def explore_corpus(loaded: Loaded, features: Features) -> list[Part]:
    """The figures of a corpus.

    Parameters
    ----------
    loaded : Loaded
        As `corpora.load` gives it.
    features : Features
        Vectors of the same clips, in the same order.
    """
    from ser_classic.plots import clips as figures

    clips = loaded.clips
    order = list(ordered(clips["emotion"]))
    speakers = _short(clips["speaker"]) if clips["speaker"].notna().all() else None
    parts = []
    owner = speakers if speakers is not None else pd.Series("unknown", index=clips.index)
    table = pd.crosstab(owner, clips["emotion"])[order]
    caption = f"{len(clips)} clips; an even table makes every speaker and emotion count the same."
    parts.append(Part("clips", "Clips of every speaker and emotion", caption, figures.counts(table)))
    parts.append(_durations(loaded, order))
    parts.append(_examples(loaded, order))
    shares = variance_explained(features.frame, clips["emotion"], owner if speakers is not None else None)
    parts += _separability(shares, features.frame, clips["emotion"], order, speakers is not None)
    parts.append(_projection(features, clips["emotion"], speakers))
    return parts


def explore_file(path: Path, channel: int | None = None) -> tuple[list[Part], dict[str, str]]:
    """The figures of a recording, and its facts in words.

    Raises
    ------
    AudioError
        The recording cannot be used.
    """
    from ser_classic.features.voice import analyse
    from ser_classic.plots.sound import portrait

    waveform, rate = audio.read(path, channel=channel)
    voice = analyse(waveform, rate)
    peak, power = float(np.abs(waveform).max()), float(np.mean(np.square(waveform, dtype=np.float64)))
    facts = {
        "Length": f"{len(waveform) / rate:.2f} s",
        "Sample rate": f"{rate} Hz",
        "Peak": _decibels(peak**2),
        "Level (RMS)": _decibels(power),
        "Samples at full scale": f"{int((np.abs(waveform) >= 0.999).sum())}",
        "Voiced": f"{100 * voice.voiced.mean():.0f} % of the time",
    }
    if voice.voiced.any():
        low, middle, high = np.percentile(voice["f0_00"][voice.voiced], [5, 50, 95])
        pitch = [55 * 2 ** (semitones / 12) for semitones in (low, middle, high)]
        facts["Pitch"] = f"{pitch[1]:.0f} Hz (median; 90 % between {pitch[0]:.0f} and {pitch[2]:.0f} Hz)"
    caption = "Waveform, mel spectrogram, MFCC 1 to 19 and pitch classes."
    figure = portrait(waveform, rate)
    return [Part("recording", "The recording", caption, figure, _player(waveform, rate))], facts


def _player(waveform: np.ndarray, rate: int) -> str:
    """The recording [shape=(n,)], or its beginning, as a player inside the page."""
    import soundfile

    begun = waveform[: int(HEARD * rate)]
    sound = io.BytesIO()
    soundfile.write(sound, begun, rate, format="WAV", subtype="PCM_16")
    code = base64.b64encode(sound.getvalue()).decode()
    note = f"<p>The first {HEARD:g} seconds.</p>" if len(begun) < len(waveform) else ""
    return f'<audio controls src="data:audio/wav;base64,{code}"></audio>{note}'


def _decibels(power: float) -> str:
    """A power in decibels; just below full scale it is 0.0, not -0.0."""
    return f"{round(10 * np.log10(power), 1) + 0.0:.1f} dB re full scale"


def variance_explained(values: pd.DataFrame, emotions: pd.Series, speakers: pd.Series | None) -> pd.DataFrame:
    """Share of every feature's variance between emotions, and between speakers (eta squared).

    Parameters
    ----------
    values : pd.DataFrame [shape=(clips, d)]
    emotions, speakers : pd.Series [shape=(clips,)]

    Returns
    -------
    pd.DataFrame
        Index feature; `group` (the text before the first `/` or `_`), `emotion`, and `speaker` (NaN where
        none are known); best separated first. A constant feature has the share 0.

    Examples
    --------
    >>> frame = pd.DataFrame({"a_0": [1.0, 1, 3, 3], "b_0": [1.0, 3, 1, 3]})
    >>> shares = variance_explained(frame, pd.Series(list("xxyy")), pd.Series(list("pqpq")))
    >>> shares.loc["a_0", ["emotion", "speaker"]].tolist()
    [1.0, 0.0]
    """
    names = [name.split("/")[0] if "/" in name else name.split("_")[0] for name in values.columns]
    table = pd.DataFrame({"group": names}, index=values.columns)
    table["emotion"] = _eta_squared(values.to_numpy(dtype=np.float64), emotions.to_numpy())
    table["speaker"] = (
        np.nan if speakers is None else _eta_squared(values.to_numpy(dtype=np.float64), speakers.to_numpy())
    )
    return table.sort_values("emotion", ascending=False, kind="stable")


def nearest_share(values: np.ndarray, names: Sequence[str]) -> tuple[float, float]:
    """How often a clip's nearest neighbour has its name, and how often any other clip does.

    Parameters
    ----------
    values : np.ndarray [shape=(clips, d)]
        Standardised features.
    names : sequence of str [shape=(clips,)]
    """
    from sklearn.neighbors import NearestNeighbors

    names = np.asarray(names)
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(values)
    nearest = search.kneighbors(return_distance=False)[:, 0]  # of the training clips themselves, without self
    counts = np.unique(names, return_counts=True)[1]
    chance = float((counts * (counts - 1)).sum() / (len(names) * (len(names) - 1)))
    return float(np.mean(names[nearest] == names)), chance


def place(what: str) -> Path:
    """Folder of a page below that of all pages: the name of a known corpus, the path of a file or folder."""
    path = Path(what)
    if not os.path.exists(path):  # noqa: PTH110 (Path's raises where one may not look)
        return Path(path.name)
    path = Path(os.path.abspath(path))  # noqa: PTH100 (links are not followed)
    here = Path.cwd()
    within = path.relative_to(here) if path.is_relative_to(here) else path.relative_to(path.anchor)
    return within if within.name else Path(path.name)


def write(folder: Path, title: str, lead: str, parts: Sequence[Part]) -> Path:
    """Write `index.html`, which needs nothing else, and every figure as SVG and PNG beside it.

    Parameters
    ----------
    folder : Path
    title : str
    lead : str
        Markup of the introduction.
    parts : sequence of Part

    Raises
    ------
    SerClassicError
        The folder cannot be written.
    """
    from ser_classic.plots import style

    text = page_of(title, lead, parts)  # first: what is drawn once is laid out a little differently again
    page = folder / "index.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(page) as draft:
            draft.write_text(text, encoding="utf-8")
        for part in parts:
            style.save(part.figure, folder, part.name)
    except OSError as error:
        raise SerClassicError(
            f"{folder}: cannot be written ({error.strerror}); choose another with --output"
        ) from error
    return page


def page_of(title: str, lead: str, parts: Sequence[Part]) -> str:
    """The page, in the style of the leaderboard's."""
    from ser_classic.plots.style import inline_svg, svg
    from ser_classic.report.page import Section, filled

    sections = [
        Section(
            part.name,
            part.title,
            f'<figure><div class="scroll">{inline_svg(svg(part.figure), part.name, part.title)}</div>'
            f"<figcaption>{escape(part.caption)}</figcaption></figure>{part.table}",
        )
        for part in parts
    ]
    footer = "Made by ser-classic explore. The page loads nothing from anywhere."
    return filled(title, lead, sections, footer)


def corpus_lead(loaded: Loaded, features: str) -> str:
    """The introduction of a corpus's page, as markup."""
    corpus, clips = loaded.corpus, loaded.clips
    rows = [
        ("Corpus", corpus.title),
        ("Clips, speakers", f"{len(clips)}, {clips['speaker'].nunique() or 'unknown'}"),
        ("Language", corpus.language),
        ("Licence", corpus.licence),
        ("Citation", corpus.citation),
        ("Features", features),
        ("Beware", ". ".join([*warnings_of(clips), *by_speaker(clips)])),
    ]
    return facts_list({name: value for name, value in rows if value})


def facts_list(facts: dict[str, str]) -> str:
    """Facts as an escaped list."""
    items = "".join(f"<li><b>{escape(name)}:</b> {escape(str(value))}</li>" for name, value in facts.items())
    return f"<ul>{items}</ul>"


def _durations(loaded: Loaded, order: list[str]) -> Part:
    from ser_classic.plots.clips import spreads

    lengths = []
    for file, part in zip(loaded.clips["file"], parts(loaded.clips), strict=True):
        start, end = (0.0, None) if part is None else (part.start, part.end)
        if end is None:
            shape = audio.shape(loaded.root / file)
            end = shape.frames / shape.rate
        lengths.append(end - start)
    seconds = pd.Series(lengths, index=loaded.clips.index)
    groups = {word: seconds[loaded.clips["emotion"] == word].to_numpy() for word in order}
    caption = (
        f"{seconds.sum() / 60:.0f} minutes in all, {seconds.median():.1f} s the median clip. Box: quartiles; "
        "whiskers: 5 % to 95 %. Where lengths differ by emotion, a model can guess the emotion by length."
    )
    return Part("durations", "Length of the clips", caption, spreads(groups, "length [s]"))


def _examples(loaded: Loaded, order: list[str]) -> Part:
    from ser_classic.plots.clips import examples

    chosen = _comparable(loaded.clips, order)
    sections = dict(zip(loaded.clips.index, parts(loaded.clips), strict=True))
    read = {
        word: audio.read(
            loaded.root / loaded.clips.at[clip, "file"], None, loaded.corpus.channel, sections[clip]
        )
        for word, clip in chosen.items()
    }
    caption = "One speaker and one text where the corpus allows it: " + ", ".join(chosen.values()) + "."
    return Part("examples", "One clip of each emotion", caption, examples(read))


def _comparable(clips: pd.DataFrame, order: list[str]) -> dict[str, str]:
    """A clip of each emotion, as many as possible of one speaker saying one text."""
    keys = pd.DataFrame({"speaker": clips["speaker"].fillna(""), "sentence": clips["sentence"].fillna("")})
    spoken = clips["emotion"].groupby([keys["speaker"], keys["sentence"]]).nunique()
    speaker, sentence = spoken.idxmax()
    near = (keys["speaker"] == speaker).astype(int) + (
        (keys["speaker"] == speaker) & (keys["sentence"] == sentence)
    )
    return {word: str(near[clips["emotion"] == word].idxmax()) for word in order}


def _separability(
    shares: pd.DataFrame, values: pd.DataFrame, emotions: pd.Series, order: list[str], owned: bool
) -> list[Part]:
    from ser_classic.plots import clips as figures
    from ser_classic.report.text import of_share
    from ser_classic.tables import Table

    best = shares.groupby("group", sort=False).head(1).index[:SHOWN]
    distributions = Part(
        "distributions",
        "The features that separate the emotions best",
        "The best one of each family. Box: quartiles; whiskers: 5 % to 95 %.",
        figures.distributions(values[best], emotions, order),
    )
    columns = ("emotion", "speaker") if owned else ("emotion",)
    rows = tuple(
        (str(name), *(of_share(row[column]) for column in columns))
        for name, row in shares.head(40).to_dict("index").items()
    )
    table = Table(("feature", *columns), rows, "Features").html()
    if owned:
        above = (shares["speaker"] > shares["emotion"]).mean()
        drawn = figures.explained(shares)
        caption = (
            f"A point per feature; large marks are medians of families. For {100 * above:.0f} % of the "
            "features the speaker explains more than the emotion (right of the line): a model "
            "that is trained on its test speakers learns voices."
        )
    else:
        groups = {group: part["emotion"].to_numpy() for group, part in shares.groupby("group", sort=False)}
        drawn = figures.spreads(groups, "share of variance that emotion explains")
        caption = "Share of variance between emotions (eta squared). The speakers are unknown."
    return [distributions, Part("separability", "What the features explain", caption, drawn, table)]


def _projection(features: Features, emotions: pd.Series, speakers: pd.Series | None) -> Part:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from sklearn.preprocessing import StandardScaler

    from ser_classic.plots.clips import projections

    rows = np.arange(len(emotions))
    if len(rows) > MOST_POINTS:
        rows = np.sort(np.random.default_rng(SEED).choice(rows, MOST_POINTS, replace=False))
    scaled = StandardScaler().fit_transform(np.asarray(features.values[rows], dtype=np.float64))
    reduced = PCA(min(30, *scaled.shape), random_state=SEED).fit_transform(scaled)
    near = min(30.0, (len(rows) - 1) / 3)
    points = TSNE(perplexity=near, init="pca", random_state=SEED, n_jobs=1).fit_transform(reduced)
    words = emotions.to_numpy()[rows]
    nearest = {"emotion": nearest_share(scaled, words)}
    owners = None
    if speakers is not None:
        owners = speakers.to_numpy()[rows]
        nearest["speaker"] = nearest_share(scaled, owners)
    shares = ", ".join(
        f"its {name} in {100 * found:.0f} % (chance {100 * chance:.0f} %)"
        for name, (found, chance) in nearest.items()
    )
    caption = (
        f"t-SNE of {len(rows)} clips: points that are close have similar features. The nearest neighbour of "
        f"a clip shares {shares}. Where clips cluster by speaker, a test speaker heard in training is half "
        "known."
    )
    return Part("projection", "All clips in two dimensions", caption, projections(points, words, owners))


def _eta_squared(values: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Sum of squares between groups over the whole, of every column [shape=(n, d)]."""
    centred = values - values.mean(axis=0)
    whole = np.square(centred).sum(axis=0)
    between = np.zeros(values.shape[1])
    for name in np.unique(names):
        part = centred[names == name]
        between += len(part) * np.square(part.mean(axis=0))
    return np.divide(
        between, whole, out=np.zeros_like(whole), where=whole > 1e-12 * np.square(values).sum(axis=0)
    )


def _short(speakers: pd.Series) -> pd.Series:
    """`ravdess/01` as `01`."""
    return speakers.str.partition("/")[2]
