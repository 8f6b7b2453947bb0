"""The one exception that a user is meant to see, and how what an entry's own code raises becomes one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class SerClassicError(Exception):
    """Something a user can mend; the message says what, which one, what was expected and what to do.

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
def blaming(what: str, kind: type[SerClassicError] = SerClassicError, remedy: str = "") -> Iterator[None]:
    """Whatever an entry's own code raises in the block is told as what the entry could not do, and why.

    Parameters
    ----------
    what : str
        Which entry, and what it could not do.
    kind : type
        Of the error that is raised; those that are meant to be seen are raised as they are.
    remedy : str
        What to do; where it is not known, nothing is said.
    """
    try:
        yield
    except SerClassicError:
        raise
    except (Exception, SystemExit) as error:
        why = " ".join(str(error).split())  # in one line
        raise kind("; ".join(filter(None, (f"{what}: {type(error).__name__}: {why}", remedy)))) from error
