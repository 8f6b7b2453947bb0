"""The error of a recording that cannot be used."""

from __future__ import annotations

from ser_classic.errors import SerClassicError


class AudioError(SerClassicError):
    """A recording that cannot be used; the message names the file, the fault and the remedy."""
