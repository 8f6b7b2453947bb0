"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

DRAFT = ".draft-"  # begins the name of what is being written


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A draft to write, put in the place of a file in one step at the end of the block.

    Where the block fails, what was there is untouched and the draft is removed. The draft has no ending of
    its own: to whoever lists the folder it is no such file.

    Raises
    ------
    OSError
        The draft cannot be written, or not be put in its place.
    """
    draft = path.with_name(f"{DRAFT}{uuid.uuid4().hex}")
    try:
        yield draft
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
