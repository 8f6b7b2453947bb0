"""`ser-classic explore`: figures and a page of a corpus or of one recording."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import options
from ser_classic.errors import SerClassicError


@options.reads_corpus
def explore(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="Name of a corpus, path of your own (a table or a folder), or a recording.",
            autocompletion=options.CORPORA,
        ),
    ],
    features: options.Features = "pooled",
    output: Annotated[
        Path | None,
        options.option("--output -o FOLDER", "Folder to write.", show_default="explore/<name or path>"),
    ] = None,
    access: options.Access = None,
    jobs: options.Jobs = options.CORES,
) -> None:
    """Draw a corpus or a recording as a page with figures: clips, examples, features, speakers."""
    from ser_classic import explore as explorer
    from ser_classic.audio import is_recording

    path, place, here = Path(what), Path(os.path.abspath(what)), Path.cwd()  # noqa: PTH100 (without ..)
    folder = output or "explore" / place.relative_to(here if here in place.parents else place.anchor)
    if is_recording(path) and not os.path.isdir(path):  # noqa: PTH112 (Path's raises where one may not look)
        others = options.given(context) - {"what", "--output", "--channel"}
        options.refuse(others, f"{', '.join(others)}: for a corpus only, and {what} is a recording")
        panels, facts = explorer.explore_file(path, access.reading.channel)
        page = explorer.write(folder, path.name, facts, panels)
        for name, value in facts.items():
            print(f"{name}: {value}")
    else:
        from ser_classic.features import FEATURES
        from ser_classic.features.extraction import extract
        from ser_classic.runtime.engines import Local

        feature_set = FEATURES[features]
        if feature_set.gives.dimensions > 1:
            gives = feature_set.gives.name
            raise SerClassicError(f"{features} gives {gives} per clip; choose features that give vectors")
        loaded = access.load(what)
        extracted = extract(
            loaded.clips, loaded.root, feature_set, access.cache, Local(jobs), loaded.corpus.channel
        )
        facts = explorer.corpus_facts(loaded, features, extracted)
        panels = explorer.explore_corpus(loaded, extracted)
        page = explorer.write(folder, loaded.corpus.name, facts, panels)
    print(f"{page}: open it in a browser")
