"""`ser-classic export`: a saved model's classifier for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ser_classic.cli import options
from ser_classic.runtime.files import require_writable


def export(
    model: options.ModelFile,
    output: Annotated[Path, options.output("File to write: .onnx.")],
) -> None:
    """Export a model's classifier, from features to label and probabilities, to ONNX.

    Install its extra with: pip install 'ser-classic[onnx]'
    """
    from ser_classic.extras import onnx
    from ser_classic.predictor import load_predictor

    with options.value_of("--output"):
        require_writable(output, "ONNX models", onnx.SUFFIX)
    predictor = load_predictor(model)
    onnx.export(predictor, output)
    chances = " and probabilities" if predictor.has_probabilities else ""
    print(
        f"{output}: {predictor.card['title']}; from {len(predictor.features.columns)} features "
        f"({predictor.features.name}) to label{chances}"
    )
