"""Pages that are written from the package's own tables when the site is built."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FIGURES = "../results/figures/"  # as a page links to them, so that they show in the repository, too


def on_files(files, config):
    from mkdocs.structure.files import File

    pages = {
        "corpus-facts.md": corpora(),
        "features.md": features(),
        "models.md": models(),
        "protocols.md": protocols(),
        "commands.md": commands(),
        "python.md": python(),
        "changes.md": (ROOT / "CHANGELOG.md").read_text(),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    for figure in (ROOT / "results" / "figures").glob("*.svg"):
        if any(f"{FIGURES}{figure.name}" in page.content_string for page in files.documentation_pages()):
            files.append(File.generated(config, f"figures/{figure.name}", abs_src_path=str(figure)))
    picture = Path(tempfile.mkdtemp(prefix="floors-")) / "floors.svg"
    atexit.register(shutil.rmtree, picture.parent, ignore_errors=True)
    subprocess.run([sys.executable, ROOT / "docs" / "floors.py", picture], check=True)
    files.append(File.generated(config, "floors.svg", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown, page, config, files):
    return markdown.replace(FIGURES, "figures/")


def on_startup(command, dirty):
    """The tutorials' commands are those of this environment, and run with one thread each."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ |= {"NO_COLOR": "1", "COLUMNS": "72", "TUTORIAL": str(recordings())}
    os.environ["EXAMPLES"] = str(ROOT / "examples")


def recordings() -> Path:
    """A folder with what the tutorials work on: recordings of the package's own voices, listed."""
    import numpy as np
    import soundfile

    from ser_classic import load

    folder = Path(tempfile.mkdtemp(prefix="tutorials-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root, clips, _ = load("synthetic")
    shutil.copytree(root, folder / "voices")
    mine = clips[["file", "emotion", "speaker"]].copy()
    mine["file"] = "voices/" + mine["file"]
    mine["speaker"] = mine["speaker"].str.partition("/")[2]
    mine.to_csv(folder / "mine.csv", index=False)
    (folder / "calls").mkdir()
    for name, file in zip(("one", "two", "three"), clips["file"].iloc[[5, 210, 400]], strict=True):
        shutil.copy(root / file, folder / "calls" / f"{name}.wav")
    parts = [soundfile.read(root / file) for file in clips["file"].iloc[[5, 60, 210, 400]]]
    soundfile.write(folder / "long.wav", np.concatenate([wave for wave, _ in parts]), parts[0][1])
    return folder


def table(head: list[str], rows: list[list[object]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |"


def corpora() -> str:
    from ser_classic import CORPORA
    from ser_classic.cli.pages import corpus_page

    lines = [
        "# All corpora",
        "",
        "`ser-classic corpora show NAME` prints the same. Your own recordings need no entry here: see "
        "[A number on my corpus](tutorials/my-corpus.md).",
        "",
    ]
    rows = [
        [f"[{name}](#{name})", one.clips or "–", one.speakers or "–", one.language, one.licence]
        for name, one in CORPORA.items()
    ]
    lines += [*table(["corpus", "clips", "speakers", "language", "licence"], rows), ""]
    for name, one in CORPORA.items():
        lines += [f"## {name}", "", "```text", corpus_page(one), "```", ""]
    return "\n".join(lines)


def features() -> str:
    from ser_classic import FEATURES
    from ser_classic.features import descriptors

    lines = [
        "# Features",
        "",
        "A feature set turns a recording into a vector of named columns (or into frames, for networks). "
        "`ser-classic features extract CORPUS --features NAME` writes those of a corpus to a file. Join "
        "sets with `+`: `functionals+prosody`.",
        "",
    ]
    rows = []
    for name, one in FEATURES.items():
        columns = "–" if one.extra else len(one.columns)
        about = _contents(one.extractor) or (type(one.extractor).__doc__ or "").strip().split("\n")[0]
        rows.append([f"`{name}`", columns, one.gives.name, about, one.extra or ""])
    lines += [*table(["name", "columns", "gives", "what it does", "extra"], rows), ""]
    lines += [
        "## Low-level descriptors of the classic sets",
        "",
        (descriptors.__doc__ or "").strip(),
        "",
        "::: ser_classic.features.descriptors",
        "",
        "## Functionals of the classic sets",
        "",
        "::: ser_classic.features.functionals",
        "",
        "## The flagship's groups",
        "",
        "::: ser_classic.features.flagship",
        "",
    ]
    return "\n".join(lines)


def _contents(extractor: object) -> str:
    """Descriptors and functionals of an extractor that has such."""
    families = ", ".join(f"{each.family} ({each.size})" for each in getattr(extractor, "descriptors", ()))
    pooled = ", ".join(getattr(extractor, "functionals", ()))
    return f"{pooled} of {families}" if pooled else families


def models() -> str:
    from ser_classic.models import MODELS, REGRESSORS
    from ser_classic.models.tuning import own_tuning

    lines = [
        "# Models",
        "",
        "Each is a scikit-learn `Pipeline` (`MODELS[name].pipeline(seed)`), with a `StandardScaler` if "
        "scaled. Tuned parameters maximise UAR in inner folds that keep speakers apart.",
        "",
    ]
    for entries in (MODELS, REGRESSORS):
        rows = []
        for name, one in entries.items():
            grid = ", ".join(f"{key}: {', '.join(map(str, values))}" for key, values in one.grid.items())
            how = grid or own_tuning(one.estimator(0)) or "–"
            rows.append([f"`{name}`", one.title, "yes" if one.scale else "no", how, one.extra or ""])
        lines += [*table(["name", "what it is", "scaled", "tuned", "extra"], rows), ""]
        if entries is MODELS:
            lines += ["Models of [arousal and valence](dimensions.md), tuned for CCC:", ""]
    lines += [
        "## Our own estimators",
        "",
        "Use them in any scikit-learn pipeline.",
        "",
        "::: ser_classic.estimators",
    ]
    lines += ["    options:", "      show_root_heading: false", ""]
    return "\n".join(lines)


def protocols() -> str:
    from ser_classic import PROTOCOLS

    lines = [
        "# Protocols",
        "",
        "How clips are split into folds, and what is known about the test speaker.",
        "",
    ]
    rows = [
        [
            f"`{name}`",
            one.title,
            "leaky" if one.leaky else one.track,
            "" if one.base == name else f"`{one.base}`",
        ]
        for name, one in PROTOCOLS.items()
    ]
    lines += [*table(["name", "what it does", "track", "same folds as"], rows), ""]
    return "\n".join(lines)


def commands() -> str:
    import typer
    import typer.main

    from ser_classic.cli import app

    lines = ["# Command line", "", "Every command also prints this with `--help`.", ""]

    def walk(command, path: str) -> None:
        if hasattr(command, "commands"):
            context = typer.Context(command)
            for name in command.list_commands(context):
                walk(command.get_command(context, name), f"{path} {name}")
            return
        lines.extend([f"## {path}", "", (command.help or "").strip(), ""])
        rows = []
        for parameter in command.params:
            if parameter.param_type_name == "argument":
                name = parameter.metavar or parameter.name.upper()
            else:
                name = ", ".join(parameter.opts + parameter.secondary_opts)
                name = f"{name} {parameter.metavar or ''}".strip()
            rows.append([f"`{name}`", (getattr(parameter, "help", "") or "").replace("<", "&lt;")])
        lines.extend([*table(["argument or option", "meaning"], rows), ""])
        if command.epilog:
            lines.extend(["```", *(line.strip() for line in command.epilog.splitlines()[2:]), "```", ""])

    walk(typer.main.get_command(app), "ser-classic")
    return "\n".join(lines)


def python() -> str:
    import ser_classic

    lines = ["# Python", ""]
    lines += ["::: ser_classic", "    options:", "      members: false", "      show_root_heading: false", ""]
    tables = {"CORPORA", "FEATURES", "MODELS", "PROTOCOLS", "METRICS"}
    lines += [
        "`CORPORA`, `FEATURES`, `MODELS`, `PROTOCOLS` and `METRICS` are mappings by name; an unknown name is "
        "an error that suggests similar ones. In a notebook, a `Predictor` shows its card, `Features` their "
        "first vectors, a stored run its parameters, and a comparison its test. Plots (`ser_classic.plots`, "
        "`explore`) are matplotlib `Figure`s.",
        "",
    ]
    for name in ser_classic.__all__:
        if name not in tables:
            home = ser_classic._HOMES[name]
            lines += [f"::: ser_classic.{home}.{name}", ""]
    for path in ("corpora.Corpus", "features.FeatureSet", "models.Model", "protocols.protocol.Protocol"):
        lines += [f"::: ser_classic.{path}", ""]
    return "\n".join(lines)
