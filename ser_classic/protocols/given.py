"""Deals by what a corpus itself provides: official parts and sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ser_classic.errors import SerClassicError
from ser_classic.protocols.protocol import Fold

PARTS = {  # spellings of the parts, in lower case
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("dev", "devel", "development", "val", "valid", "validation"), "dev"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def official_parts(clips: pd.DataFrame, seed: int, shared: bool) -> list[Fold]:
    """One fold: trained on the parts train and dev, tested on the part test.

    Parameters are tuned on dev, if there is one. Clips of other parts are on neither side. `shared` says
    whether speakers may be on both.
    """
    corpus = clips["corpus"].iloc[0]
    known = clips["partition"].str.lower().map(PARTS) if "partition" in clips else pd.Series(dtype=object)
    counts = known.value_counts()
    if not counts.get("train") or not counts.get("test"):
        found = ", ".join(sorted(set(clips["partition"].dropna()))) if "partition" in clips else "none"
        raise SerClassicError(
            f"{corpus}: official needs a column `partition` with train, test and, if there is one, dev; "
            f"found: {found}. Add it to the manifest or label file, or use loso or speakers5"
        )
    part = known.to_numpy(dtype=object)
    learned, tested = np.isin(part, ["train", "dev"]), part == "test"
    speakers = clips["speaker"].to_numpy(dtype=object)
    heard = set(speakers[learned]) if clips["speaker"].notna().all() else set()
    both = float(np.mean([who in heard for who in speakers[tested]]))
    if both and not shared:
        raise SerClassicError(
            f"{corpus}: its official parts are not speaker-independent: {100 * both:.1f} % of the test clips "
            "are of speakers heard in training. Take official_leaky, which is marked as leaky everywhere, or "
            "loso or speakers5"
        )
    if heard and not both and shared:
        raise SerClassicError(f"{corpus}: its official parts keep speakers apart; take official")
    dev = np.flatnonzero(part == "dev")
    return [Fold("test", np.flatnonzero(learned), np.flatnonzero(tested), dev if dev.size else None)]


def leave_one_session_out(clips: pd.DataFrame, seed: int) -> list[Fold]:
    """One fold per session; not random."""
    corpus = clips["corpus"].iloc[0]
    sessions = clips["session"] if "session" in clips else pd.Series(pd.NA, clips.index)
    if sessions.isna().any() or sessions.nunique() < 2:
        found = "some clips have none" if sessions.isna().any() else "there is one"
        raise SerClassicError(
            f"{corpus}: sessions needs a column `session`, set for every clip, with at least two sessions; "
            f"{found}. Add it to the manifest or label file, or use loso or speakers5"
        )
    tested = sessions.to_numpy(dtype=str)
    return [
        Fold(name, np.flatnonzero(tested != name), np.flatnonzero(tested == name))
        for name in sorted(set(tested))
    ]
