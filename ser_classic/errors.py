"""The exception for everything a user can fix, and a context manager that turns other exceptions into it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class SerClassicError(Exception):
    """Something a user can fix; the message says what, which one, what was expected and what to do.

    Examples
    --------
    >>> from ser_classic import MODELS
    >>> try:
    ...     MODELS["svm"]
    ... except SerClassicError as error:
    ...     print(str(error)[:44])
    models: there is no 'svm'; did you mean 'svm
    """


@contextlib.contextmanager
def wrap_errors(what: str, remedy: str = "") -> Iterator[None]:
    """Turn whatever a plug-in or library raises in the block into a SerClassicError.

    A SerClassicError passes through unchanged.
    """
    try:
        yield
    except SerClassicError:
        raise
    except (Exception, SystemExit) as error:
        why = " ".join(str(error).split())[:300]  # on one line
        raise SerClassicError(
            "; ".join(filter(None, (f"{what}: {type(error).__name__}: {why}", remedy)))
        ) from error
