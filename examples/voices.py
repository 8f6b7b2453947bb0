"""Write the voices that the package makes itself as if they were yours: `python examples/voices.py mine`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ser_classic import load

folder = Path(sys.argv[1])
root, clips, _ = load("synthetic")
shutil.copytree(root, folder / "recordings", dirs_exist_ok=True)
table = clips[["file", "emotion", "speaker"]].copy()
table["file"] = "recordings/" + table["file"]
table["speaker"] = table["speaker"].str.removeprefix("synthetic/")
table.to_csv(folder / "clips.csv", index=False)
print(f"{folder / 'clips.csv'}: {len(table)} recordings, {table['speaker'].nunique()} speakers")
