"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

DRAFT = ".draft-"  # begins the name of what is being written


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A draft to write, put in the place of a file in one step at the end of the block.

    The file keeps its permissions, and a link to it stays a link. Where the block fails, what was there is
    untouched and the draft is removed. The draft has no ending of its own: to whoever lists the folder it is
    no such file.

    Raises
    ------
    OSError
        The draft cannot be written, or not be put in its place.
    """
    path = Path(os.path.realpath(path))
    draft = path.with_name(f"{DRAFT}{uuid.uuid4().hex}")
    try:
        yield draft
        if path.is_file():
            shutil.copymode(path, draft)
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
