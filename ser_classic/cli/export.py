"""`ser-classic export`: a saved predictor's classifier for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ser_classic.cli import options
from ser_classic.cli.predict import ModelFile
from ser_classic.runtime.files import require_writable


def export(
    model: ModelFile,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="File to write, such as m.onnx.")
    ],
) -> None:
    """Write a predictor's classifier, from features to label and chances, as ONNX.

    It needs an extra: pip install 'ser-classic[onnx]'
    """
    from ser_classic.extras import onnx
    from ser_classic.predictor import load_predictor

    with options.value_of("--output"):
        require_writable(output, "ONNX models", onnx.SUFFIX)
    predictor = load_predictor(model)
    onnx.export(predictor, output)
    chances = " and chances" if predictor.has_probabilities else ""
    print(
        f"{output}: {predictor.card['title']}; from {len(predictor.features.columns)} features "
        f"({predictor.features.name}) to label{chances}"
    )
