"""The torture of `torture.py` in a short form: three kills; `make torture` makes a hundred."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for orphans in /proc")
def test_whoever_is_killed_loses_nothing_finished_and_leaves_nothing_behind():
    root = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, str(root / "tests" / "torture.py"), "--kills", "3", "--seed", "7"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["torture_bench", "torture_extraction", "torture_fetch"]
    assert all(": 0 kills" not in line for line in lines), lines
