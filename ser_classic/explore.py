"""Explore: a corpus or a recording as one page with figures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ser_classic import audio
from ser_classic.corpora import Loaded, segments
from ser_classic.corpora.warnings import warnings_of
from ser_classic.experiment.duplicates import shared_by_speakers
from ser_classic.features.extraction import Features
from ser_classic.features.voice import analyse
from ser_classic.plots import clips as figures
from ser_classic.plots import style
from ser_classic.plots.sound import portraits
from ser_classic.report.page import Section, figure_of, filled
from ser_classic.runtime.files import replacing, writing
from ser_classic.tables import Table, of_share
from ser_classic.vocabulary import ordered

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 2000  # of a projection; more hide each other, and take long
SHOWN = 6  # distributions
SEED = 0
HEARD = 60.0  # [s] of a recording that its page plays


class Panel(NamedTuple):
    """A figure with its caption, and markup under it or nothing."""

    name: str
    title: str
    caption: str
    figure: Figure
    table: str = ""

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        drawn = style.svg(self.figure)
        text = f"<h3>{escape(self.title)}</h3><p>{escape(self.caption)}</p>"
        return f"{text}{drawn[drawn.index('<svg') :]}{self.table}"


def explore_corpus(loaded: Loaded, features: Features) -> list[Panel]:
    """The figures of a corpus, as `corpora.load` gives it, with vectors of its clips in the same order."""
    emotions = loaded.clips["emotion"]
    order = list(ordered(emotions))
    owned = loaded.clips["speaker"].notna().all()
    speakers = loaded.clips["speaker"].str.partition("/")[2] if owned else None  # `ravdess/01` as `01`
    owners = pd.Series("unknown", emotions.index) if speakers is None else speakers
    table = pd.crosstab(owners, emotions)[order]
    caption = f"{len(emotions)} clips; an even table makes every speaker and emotion count the same."
    return [
        Panel("clips", "Clips of every speaker and emotion", caption, figures.counts(table)),
        _durations(loaded, order),
        _examples(loaded, order),
        *_separability(features.frame, emotions, speakers, order),
        _projection(features, emotions, speakers),
    ]


def explore_file(path: Path, channel: int | None = None) -> tuple[list[Panel], dict[str, str]]:
    """The figures of a recording, and its facts in words."""
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
        low, middle, high = 55 * 2 ** (np.percentile(voice["f0_00"][voice.voiced], [5, 50, 95]) / 12)
        facts["Pitch"] = f"{middle:.0f} Hz (median; 90 % between {low:.0f} and {high:.0f} Hz)"
    caption = "Waveform, mel spectrogram, MFCC 1 to 19 and pitch classes."
    figure = portraits({"": (waveform, rate)}, 7.0)
    return [Panel("recording", "The recording", caption, figure, _player(waveform, rate))], facts


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

    One row per feature, best separated first: `group` (the text before the first `/` or `_`), `emotion`, and
    `speaker` (NaN where none are known). A constant feature has the share 0.

    Examples
    --------
    >>> frame = pd.DataFrame({"a_0": [1.0, 1, 3, 3], "b_0": [1.0, 3, 1, 3]})
    >>> shares = variance_explained(frame, pd.Series(list("xxyy")), pd.Series(list("pqpq")))
    >>> shares.loc["a_0", ["emotion", "speaker"]].tolist()
    [1.0, 0.0]
    """
    values = values.astype(np.float64)
    whole = values.var(ddof=0)
    varying = whole > 1e-12 * np.square(values).mean()
    names = [name.split("/")[0] if "/" in name else name.split("_")[0] for name in values.columns]
    table = pd.DataFrame({"group": names}, index=values.columns)
    for column, groups in (("emotion", emotions), ("speaker", speakers)):
        table[column] = np.nan
        if groups is not None:
            between = values.groupby(groups.to_numpy()).transform("mean").var(ddof=0)
            table[column] = (between / whole).where(varying, 0.0)
    return table.sort_values("emotion", ascending=False, kind="stable")


def nearest_share(values: np.ndarray, names: Sequence[str]) -> tuple[float, float]:
    """How often the nearest neighbour of a clip [shape=(clips, d)] has its name, and any other clip does."""
    from sklearn.neighbors import NearestNeighbors

    names = np.asarray(names)
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(values)
    nearest = search.kneighbors(return_distance=False)[:, 0]  # of the training clips themselves, without self
    counts = np.unique(names, return_counts=True)[1]
    chance = float((counts * (counts - 1)).sum() / (len(names) * (len(names) - 1)))
    return float(np.mean(names[nearest] == names)), chance


def write(folder: Path, title: str, facts: dict[str, str], panels: Sequence[Panel]) -> Path:
    """Write `index.html`, which needs nothing else, and every figure as SVG and PNG beside it."""
    text = page_of(title, facts, panels)  # first: what is drawn once is laid out a little differently again
    page = folder / "index.html"
    with writing(folder, "--output"):
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(page) as draft:
            draft.write_text(text, encoding="utf-8")
        for panel in panels:
            style.write(panel.figure, folder / f"{panel.name}.svg", folder / f"{panel.name}.png")
    return page


def page_of(title: str, facts: dict[str, str], panels: Sequence[Panel]) -> str:
    """The page, in the style of the leaderboard's."""
    sections = []
    for panel in panels:
        figure = figure_of(style.svg(panel.figure), panel.name, panel.title, panel.caption)
        sections.append(Section(panel.name, panel.title, figure + panel.table))
    items = "".join(
        f"<li><b>{escape(name)}:</b> {escape(value)}</li>" for name, value in facts.items() if value
    )
    return filled(
        title,
        f"<ul>{items}</ul>",
        sections,
        "Made by ser-classic explore. The page loads nothing from anywhere.",
    )


def corpus_facts(loaded: Loaded, name: str, features: Features) -> dict[str, str]:
    """What a corpus's page begins with; what is not known is empty. `name` is that of the feature set."""
    corpus, clips = loaded.corpus, loaded.clips
    warnings = filter(None, (*warnings_of(clips), shared_by_speakers(loaded, features)))
    return {
        "Corpus": corpus.title,
        "Clips, speakers": f"{len(clips)}, {clips['speaker'].nunique() or 'unknown'}",
        "Language": corpus.language,
        "Licence": corpus.licence,
        "Citation": corpus.citation,
        "Features": name,
        "Warnings": ". ".join(warnings),
    }


def _durations(loaded: Loaded, order: list[str]) -> Panel:
    def length(file: str, segment: audio.Segment | None) -> float:
        start, end = segment or audio.Segment(0.0)
        if end is None:
            info = audio.info(loaded.root / file)
            end = info.frames / info.rate
        return end - start

    seconds = pd.Series(list(map(length, loaded.clips["file"], segments(loaded.clips))), loaded.clips.index)
    groups = {word: seconds[loaded.clips["emotion"] == word].to_numpy() for word in order}
    caption = (
        f"{seconds.sum() / 60:.0f} minutes in all, {seconds.median():.1f} s the median clip. Box: quartiles; "
        "whiskers: 5 % to 95 %. Where lengths differ by emotion, a model can guess the emotion by length."
    )
    return Panel("durations", "Length of the clips", caption, figures.spreads({"length [s]": groups}))


def _examples(loaded: Loaded, order: list[str]) -> Panel:
    chosen = _comparable(loaded.clips, order)
    pieces = dict(zip(loaded.clips.index, segments(loaded.clips), strict=True))
    files = loaded.clips["file"].map(loaded.root.joinpath)
    read = {
        word: audio.read(files[clip], None, loaded.corpus.channel, pieces[clip])
        for word, clip in chosen.items()
    }
    caption = "One speaker and one text where the corpus allows it: " + ", ".join(chosen.values()) + "."
    drawn = portraits(read, 1.0 + 1.75 * len(read))
    return Panel("examples", "One clip of each emotion", caption, drawn)


def _comparable(clips: pd.DataFrame, order: list[str]) -> dict[str, str]:
    """A clip of each emotion, as many as possible of one speaker saying one text."""
    keys = clips[["speaker", "sentence"]].fillna("")
    spoken = clips["emotion"].groupby([keys["speaker"], keys["sentence"]]).nunique()
    same = keys.eq(pd.Series(spoken.idxmax(), keys.columns))
    near = same["speaker"].astype(int) + same.all(axis=1)
    return {word: str(near[clips["emotion"] == word].idxmax()) for word in order}


def _separability(
    values: pd.DataFrame, emotions: pd.Series, speakers: pd.Series | None, order: list[str]
) -> list[Panel]:
    shares = variance_explained(values, emotions, speakers)
    best = shares.groupby("group", sort=False).head(1).index[:SHOWN]
    distributions = Panel(
        "distributions",
        "The features that separate the emotions best",
        "The best one of each family. Box: quartiles; whiskers: 5 % to 95 %.",
        figures.spreads(
            {str(name): {word: values[name][emotions == word].to_numpy() for word in order} for name in best}
        ),
    )
    columns = ("emotion",) if speakers is None else ("emotion", "speaker")
    rows = [(str(name), *map(of_share, row)) for name, row in shares.head(40)[list(columns)].iterrows()]
    if speakers is None:
        groups = {group: part["emotion"].to_numpy() for group, part in shares.groupby("group", sort=False)}
        drawn = figures.spreads({"share of variance that emotion explains": groups})
        caption = "Share of variance between emotions (eta squared). The speakers are unknown."
    else:
        above = (shares["speaker"] > shares["emotion"]).mean()
        drawn = figures.explained(shares)
        caption = (
            f"A point per feature; large marks are medians of families. For {100 * above:.0f} % of the "
            "features the speaker explains more than the emotion (right of the line): a model "
            "that is trained on its test speakers learns voices."
        )
    table = Table(("feature", *columns), rows, "Features").html()
    return [distributions, Panel("separability", "What the features explain", caption, drawn, table)]


def _projection(features: Features, emotions: pd.Series, speakers: pd.Series | None) -> Panel:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from sklearn.preprocessing import StandardScaler

    rows = np.arange(len(emotions))
    if len(rows) > MOST_POINTS:
        rows = np.sort(np.random.default_rng(SEED).choice(rows, MOST_POINTS, replace=False))
    scaled = StandardScaler().fit_transform(np.asarray(features.values[rows], dtype=np.float64))
    reduced = PCA(min(30, *scaled.shape), random_state=SEED).fit_transform(scaled)
    near = min(30.0, (len(rows) - 1) / 3)
    points = TSNE(perplexity=near, init="pca", random_state=SEED, n_jobs=1).fit_transform(reduced)
    words = emotions.to_numpy()[rows]
    owners = None if speakers is None else speakers.to_numpy()[rows]
    nearest = {"emotion": nearest_share(scaled, words)}
    nearest |= {} if owners is None else {"speaker": nearest_share(scaled, owners)}
    shares = ", ".join(
        f"its {name} in {100 * found:.0f} % (chance {100 * chance:.0f} %)"
        for name, (found, chance) in nearest.items()
    )
    caption = (
        f"t-SNE of {len(rows)} clips: points that are close have similar features. The nearest neighbour of "
        f"a clip shares {shares}. Where clips cluster by speaker, a test speaker heard in training is half "
        "known."
    )
    drawn = figures.projections(points, words, owners)
    return Panel("projection", "All clips in two dimensions", caption, drawn)
