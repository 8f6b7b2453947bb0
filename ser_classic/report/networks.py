"""Networks beside classical models: what a score costs to train and to keep, and how training went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from ser_classic.errors import SerClassicError
from ser_classic.report.board import Scored, judged, system_of
from ser_classic.report.gallery import Picture
from ser_classic.report.page import Section, figure_element
from ser_classic.report.text import counted
from ser_classic.report.training import portrait
from ser_classic.report.views import FLOOR
from ser_classic.report.within import confusion_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Networks"
NETWORK = "DeepClassifier"  # the estimator of every model that is trained in epochs


def trained(run: Scored) -> bool:
    """Whether a run's model is a network trained from scratch."""
    return run.run.record.get("parameters", {}).get("model", {}).get("estimator") == NETWORK


def efforts(runs: Iterable[Scored]) -> pd.DataFrame:
    """What the blind systems of a corpus score, and what one training of each costs.

    Parameters
    ----------
    runs : iterable of Scored

    Returns
    -------
    pd.DataFrame
        One row a system of each corpus on which a network ran, under the protocol that most of its networks
        ran under (speakers kept apart): corpus, protocol, features, model, network (bool), uar, seconds (of
        one core to tune and fit a fold, on average) and size [bytes] (of the fitted pipeline); means over
        seeds. The floor is left out.
    """
    rows = [
        {name: run.row[name] for name in ("corpus", "protocol", "features", "model", "uar")}
        | {
            "network": trained(run),
            "seconds": run.run.record["fit_seconds"] / len(run.run.record["folds"]),
            "size": run.run.record["size"],
        }
        for run in runs
        if _comparable(run) and {"folds", "size"} <= set(run.run.record)
    ]
    columns = ["corpus", "protocol", "features", "model", "uar", "network", "seconds", "size"]
    table = pd.DataFrame(rows, columns=columns)
    ran = table[table["network"].astype(bool)].groupby("corpus")["protocol"]
    usual = ran.agg(lambda names: names.mode().iloc[0])
    table = table[table["protocol"] == table["corpus"].map(usual)]
    names = ["corpus", "protocol", "features", "model", "network"]
    return table.groupby(names, sort=False, as_index=False)[["uar", "seconds", "size"]].mean()


def _comparable(run: Scored) -> bool:
    row = run.row
    apart = row["independent"] and not row["test"] and row["track"] == "blind"
    return run.counts is not None and apart and row["model"] != FLOOR


def effort_picture(runs: Sequence[Scored]) -> Picture | None:
    """Classical models against networks: UAR against the cost of training and the size; None without both."""
    from ser_classic.plots.networks import effort

    table = efforts(runs)
    both = table.groupby("corpus")["network"].nunique()
    table = table[table["corpus"].isin(both[both == 2].index)]
    if not len(table):
        return None
    return Picture(
        "classical_and_networks",
        "Classical models and networks",
        "UAR, blind, against what it takes: seconds of one CPU core to tune and fit one fold, and the size "
        "of the fitted pipeline. Named are the systems that no other of their kind beats at less.",
        partial(effort, table),
        wide=True,
    )


def network_pictures(
    runs: Iterable[Scored],
    clips_of: Callable[[str], pd.DataFrame],
    problem: Callable[[str], None] | None = None,
) -> Iterator[Picture]:
    """Of the best network of each corpus, speakers kept apart: how it learned and what it takes for what.

    The page has both of every network in little; these are files of their own.
    """
    from ser_classic.plots.detail import confusion

    for corpus, run in _best(runs).items():
        curves = _curves(run, problem)
        if curves is None:
            continue
        name = f"{system_of(run.row)} ({run.row['protocol']})"
        yield Picture(
            f"learning_{corpus}",
            f"{corpus}: how the best network learned",
            f"{corpus}: {name}: a thin line a fold, a thick one their mean as long as half of them train; "
            "dots are the epochs that were kept.",
            _learning(run, curves),
            corpus,
            system=name,
        )
        counts, classes = confusion_of(judged(run.run.predictions(), clips_of(corpus)))
        yield Picture(
            f"confusion_{corpus}_network",
            f"{corpus}: what the best network takes for what",
            f"Share of each emotion's clips by guess; {corpus}: {name}.",
            partial(confusion, counts, classes),
            corpus,
            system=name,
        )


def networks_section(
    runs: Sequence[Scored],
    clips_of: Callable[[str], pd.DataFrame],
    picture: Picture | None,
    problem: Callable[[str], None] | None = None,
) -> Section | None:
    """The networks as a section of the page, each with its curves and confusions; None where none ran.

    Parameters
    ----------
    runs : sequence of Scored
    clips_of : callable (corpus) -> pd.DataFrame
    picture : Picture, optional
        As `effort_picture` gives it.
    problem : callable (str), optional
        Told of curves that cannot be read; without it the error is raised.
    """
    of_corpus: dict[str, list[str]] = {}
    for run in sorted(filter(trained, runs), key=lambda run: (run.row["leaky"], -run.row.get("uar", 0))):
        if run.counts is None:
            continue
        curves = _curves(run, problem)
        if curves is not None:
            card = portrait(run, curves, judged(run.run.predictions(), clips_of(run.row["corpus"])))
            of_corpus.setdefault(run.row["corpus"], []).append(card)
    if not of_corpus:
        return None
    folded = "".join(
        f"<details><summary>{escape(corpus)}: curves and confusions of "
        f"{counted(len(cards), 'network')}</summary>"
        f'<div class="cards">{"".join(cards)}</div></details>'
        for corpus, cards in sorted(of_corpus.items())
    )
    about = (
        "Networks trained from scratch on the same folds. Their validation part is a group of training "
        "speakers (clips, where the split is leaky), and decides when to stop; with two speakers (TESS) "
        "nothing can be held out, and the number of epochs is fixed."
    )
    drawn = figure_element(picture) if picture else ""
    return Section("networks", TITLE, f"<p>{about}</p>{drawn}{folded}")


def _best(runs: Iterable[Scored]) -> dict[str, Scored]:
    best: dict[str, Scored] = {}
    for run in runs:
        if not trained(run) or not _comparable(run):
            continue
        held = best.setdefault(run.row["corpus"], run)
        if run.row["uar"] > held.row["uar"]:
            best[run.row["corpus"]] = run
    return dict(sorted(best.items()))


def _curves(run: Scored, problem: Callable[[str], None] | None) -> pd.DataFrame | None:
    try:
        return run.run.curves()
    except SerClassicError as error:
        if problem is None:
            raise
        problem(str(error))
        return None


def _learning(run: Scored, curves: pd.DataFrame) -> partial[Figure]:
    from ser_classic.plots.networks import learning

    kept = {fold["fold"]: fold["chosen"].get("best_epoch") for fold in run.run.record["folds"]}
    return partial(learning, curves, kept, 1 / run.row["classes"])
