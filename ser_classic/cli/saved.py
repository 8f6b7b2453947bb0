"""`ser-classic card` and `export`: what is in a saved model, for people and for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ser_classic.cli import options
from ser_classic.cli.options import option
from ser_classic.cli.printing import show
from ser_classic.runtime.files import require_writable


def card(
    model: options.ModelFile,
    as_json: options.Json = False,
    pipeline: Annotated[
        Path | None, option("--pipeline FILE", "Write the scikit-learn pipeline in it to this file.")
    ] = None,
) -> None:
    """Show what a saved model was fitted on, how good it is, and its limits."""
    from ser_classic.predictor import cards, read_card, saving

    if pipeline is not None:
        require_writable(pipeline, "pipelines", saving.SUFFIX)
        pipeline.write_bytes(saving.pipeline_of(model))
        print(f"{pipeline}: load it with skops.io.load, or ser_classic.load_pipeline({str(model)!r})")
        return
    found = read_card(model)
    show(cards.text(found).replace("**", "").removesuffix("\n"), found, as_json)


def export(
    model: options.ModelFile,
    output: Annotated[Path, option("--output -o FILE", "File to write: .onnx.")],
) -> None:
    """Export a model's classifier, from features to label and probabilities, to ONNX.

    Install its extra with: pip install 'ser-classic[onnx]'
    """
    from ser_classic.extras import onnx
    from ser_classic.predictor import load_predictor

    require_writable(output, "ONNX models", onnx.SUFFIX)
    predictor = load_predictor(model)
    onnx.export(predictor, output)
    gives = "label and probabilities" if predictor.has_probabilities else "label"
    show(
        f"{output}: {predictor.card['title']}; from {len(predictor.features.columns)} features "
        f"({predictor.features.name}) to {gives}"
    )
