"""The exception for everything a user can fix, what turns others into it, lists and counts in messages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator


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


def some(names: Iterable[object], most: int = 5, apart: str = ", ") -> str:
    """The first names of a list, for a message, and how many more there are.

    Examples
    --------
    >>> some("abcdefg")
    'a, b, c, d, e and 2 more'
    >>> some(["a.wav", "b.wav"], 1)
    'a.wav and 1 more'
    >>> some("abc", 2, apart="; ")
    'a; b; and 1 more'
    """
    names = list(map(str, names))
    shown, beyond = apart.join(names[:most]), len(names) - most
    return f"{shown}{' ' if apart == ', ' else apart}and {beyond} more" if beyond > 0 else shown


def counted(number: int | str, thing: str) -> str:
    """A number of things: `1 fold`, `6 folds`, `unknown speakers`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


@contextlib.contextmanager
def wrap_errors(
    what: str, remedy: str = "", only: tuple[type[BaseException], ...] = (Exception, SystemExit)
) -> Iterator[None]:
    """Turn exceptions that a plug-in or library raises in the block, by default all, into a SerClassicError.

    A SerClassicError passes through unchanged. Of what is not expected by name (`only`), the kind is said.
    """
    try:
        yield
    except SerClassicError:
        raise
    except only as error:
        why = " ".join(str(error).split())[:300]  # on one line
        if Exception in only or not why:
            why = f"{type(error).__name__}: {why}"
        raise SerClassicError("; ".join(filter(None, (f"{what}: {why}", remedy)))) from error
