"""What goes wrong with predictors."""

from __future__ import annotations

from ser_classic.errors import SerClassicError


class PredictorError(SerClassicError):
    """A predictor that cannot be made, saved, loaded or used as asked."""
