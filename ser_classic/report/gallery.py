"""The figures of a report, drawn from scored runs: what to draw, from which of them, under which name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

import pandas as pd

from ser_classic.metrics import METRICS, reliability
from ser_classic.report import views, within
from ser_classic.report.board import (
    Scored,
    first_seeds,
    judged,
    probabilities,
    system_of,
    tabulated,
)
from ser_classic.report.text import share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SPEAKERS = 24  # shown one by one; of more, the least and the best recognised


@dataclass(frozen=True)
class Picture:
    """A figure, the name of its files, and what is said beside it.

    `draw` is a function of `ser_classic.plots` with its arguments, which any process can call. `corpus` is
    empty where it spans several; `wide` ones do not share their line of a page. Where it is of one `system`,
    its files, which stand alone, are headed by the title and that. `markup` is the figure as an element of a
    page, once it has been drawn.
    """

    name: str
    title: str
    caption: str
    draw: partial[Figure]
    corpus: str = ""
    wide: bool = False
    system: str = ""
    markup: str = ""

    @property
    def figure(self) -> Figure:
        """The figure, drawn anew."""
        return self.draw()


def pictures(runs: Sequence[Scored], clips_of: Callable[[str], pd.DataFrame]) -> Iterator[Picture]:
    """All figures that the runs give, those over all corpora first, then corpus by corpus.

    Parameters
    ----------
    runs : sequence of Scored
    clips_of : callable (corpus) -> pd.DataFrame
    """
    board = tabulated(runs)
    for track in ("blind", "adapted"):
        for by in ("model", "features"):
            yield from _ranks(runs, by, track)
    for corpus in dict.fromkeys(board["corpus"]):
        yield from _published(board, corpus)
        tracks = [
            [*_feature_sets(board, corpus, track), *_details(runs, corpus, track, clips_of)]
            for track in ("blind", "adapted")
        ]
        for same_kind in zip_longest(*tracks):
            yield from filter(None, same_kind)


def _feature_sets(board: pd.DataFrame, corpus: str, track: str) -> Iterator[Picture]:
    from ser_classic.plots.scores import feature_sets
    from ser_classic.plots.style import GROUP_COLOUR

    table = views.by_features(board, corpus, track)
    if len(table) > 1:
        chance = 1 / table["classes"].iloc[0]
        yield Picture(
            f"features_{corpus}_{track}",
            f"{corpus}: features and models, {track}",
            "UAR of every feature set: a dot for each model, the best named, with its 95 % interval where "
            "there are speakers enough. The dashed line is chance. Of several protocols that ran, the one "
            "under which most systems did.",
            partial(feature_sets, table, chance, GROUP_COLOUR[track]),
            corpus,
        )


def _ranks(runs: Sequence[Scored], by: str, track: str) -> Iterator[Picture]:
    from ser_classic.plots.scores import critical_difference

    found = views.ranked(runs, by, track)
    if found is None:
        return
    placed, shared = found
    names = {"model": ("Models", "on the feature set"), "features": ("Feature sets", "with the model")}
    what, where = names[by]
    over = f"mean UAR {where}s" if len(shared) > 1 else f"UAR {where}"
    yield Picture(
        f"ranks_{by}_{track}",
        f"{what} ranked, {track}",
        f"Average rank over {placed.blocks} speakers, by each one's {over} {', '.join(shared)}. A "
        "bar joins those that Nemenyi's test cannot tell apart at 5 %. Friedman's test: "
        f"χ² = {placed.statistic:.1f}, p = {placed.p_value:.2g}.",
        partial(critical_difference, placed),
    )


def _published(board: pd.DataFrame, corpus: str) -> Iterator[Picture]:
    from ser_classic.plots.scores import beside_published

    table = views.beside_published(board, corpus)
    table = table[table["disjoint"].astype(bool)]
    if table["own"].any() and not table["own"].all():
        yield Picture(
            f"published_{corpus}",
            f"{corpus}: beside the published",
            "Our best systems and published ones, all with test speakers kept out of training. Those on "
            "other folds are near, not equal. Blind and adapted systems are never ranked together.",
            partial(beside_published, table),
            corpus,
            wide=True,
        )


def _details(
    runs: Sequence[Scored], corpus: str, track: str, clips_of: Callable[[str], pd.DataFrame]
) -> Iterator[Picture]:
    from ser_classic.plots import detail
    from ser_classic.plots.style import GROUP_COLOUR

    colour = GROUP_COLOUR[track]
    group = views.shown((run for run in first_seeds(runs) if run.row["corpus"] == corpus), track)
    if not group:
        return
    ranked = sorted(group, key=lambda run: (-run.row["uar"], run.run.record["id"]))
    best = ranked[0]
    name = _name(best)
    table = judged(best.run.predictions(), clips_of(corpus))
    counts, classes = within.confusion_of(table)
    yield Picture(
        f"confusion_{corpus}_{track}",
        f"{corpus}: what is taken for what, {track}",
        f"Share of each emotion's clips by guess; {name}. {_in_words(within.intervals(table))}.",
        partial(detail.confusion, counts, classes),
        corpus,
        system=name,
    )
    yield Picture(
        f"recalls_{corpus}_{track}",
        f"{corpus}: who and what is recognised, {track}",
        f"With 95 % intervals over speakers where there are enough; the dashed line is chance; {name}.",
        partial(detail.recalls, _panels(table), 1 / best.row["classes"], colour),
        corpus,
        system=name,
    )
    for run in ranked:
        table = judged(run.run.predictions(), clips_of(corpus))
        given = probabilities(table)
        if given is not None:
            truth, guess = table["truth"].to_numpy(), table["guess"].to_numpy()
            yield Picture(
                f"reliability_{corpus}_{track}",
                f"{corpus}: is confidence deserved, {track}",
                f"Accuracy of the guesses by their confidence; {_name(run)}.",
                partial(
                    detail.reliability,
                    reliability(truth, guess, given),
                    METRICS["ece"](truth, guess, given),
                    colour,
                ),
                corpus,
                system=_name(run),
            )
            return


def _panels(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    panels = [("Recall by emotion", within.recall_by_emotion(table))]
    panels += [(f"UAR by {name}", within.uar_by(table, name)) for name in within.properties(table)]
    speakers = within.uar_by(table, "speaker").sort_values("value", kind="stable")
    speakers.index = speakers.index.str.rpartition("/").get_level_values(2)
    if len(speakers) > MOST_SPEAKERS:
        half = MOST_SPEAKERS // 2
        heading = f"UAR by speaker, the {half} lowest and highest of {len(speakers)}"
        speakers = pd.concat([speakers.head(half), speakers.tail(half)])
    else:
        heading = "UAR by speaker"
    return [*panels, (heading, speakers)]


def _in_words(metrics: pd.DataFrame) -> str:
    """`UAR .53 (.49–.57), …`: every metric, with its interval where there are speakers enough."""
    parts = []
    for name, row in metrics.iterrows():
        range_ = "" if pd.isna(row["low"]) else f" ({share(row['low'])}–{share(row['high'])})"
        parts.append(f"{METRICS[str(name)].word} {share(row['value'])}{range_}")
    return ", ".join(parts)


def _name(run: Scored) -> str:
    return f"{system_of(run.row)} ({run.row['protocol']}, seed {run.row['seed']})"
