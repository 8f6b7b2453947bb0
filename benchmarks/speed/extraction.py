"""How fast features are extracted, beside the ways in which others do it, and whether the values agree.

    python benchmarks/speed/extraction.py [--json FILE] [--clips 24] [--rounds 5] [--before FOLDER]

Every system turns the same FLAC files of 16 kHz into vectors, one thread, one file after another; all systems
take turns on a file before the next one comes, so that what else the machine does falls on all of them alike.
The files are clips from below $SER_DATA where that is set, else synthetic voices. openSMILE takes part where
it is installed (pip install 'ser-classic[opensmile]'). Another system is one entry of `SYSTEMS`.
With --before, the sets of another checkout of this repository (git worktree add FOLDER COMMIT) take turns.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import scipy.fft
import scipy.signal
import soundfile
from threadpoolctl import threadpool_limits

from ser_classic import audio
from ser_classic.corpora import synthetic
from ser_classic.features import FEATURES, RATE
from ser_classic.features.functionals import POOLED
from ser_classic.runtime.provenance import machine

SECONDS = 3.7  # of a generated clip: the mean of RAVDESS
N_FFT, HOP = 2048, 512
PERCENTS = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class System:
    """A way from a file to a vector.

    Attributes
    ----------
    name, title : str
    extract : callable (Path) -> np.ndarray [shape=(d,)]
    needs : str, optional
        The library without which it is left out.
    """

    name: str
    title: str
    extract: Callable[[Path], np.ndarray]
    needs: str = "librosa"


@dataclass(frozen=True)
class Claim:
    """`slow` takes at least, or at most, so many times as long as `fast`."""

    slow: str
    fast: str
    times: float
    at_least: bool = True


def ours(name: str) -> System:
    """A feature set of this package, with the reading and the checks that users get."""
    feature_set = FEATURES[name]

    def extract(path: Path) -> np.ndarray:
        return feature_set.extractor(*audio.read(path, feature_set.sample_rate))

    return System(name, f"{name}, {len(feature_set.columns)} features", extract)


def before(root: Path) -> list[System]:
    """The sets of another checkout of this repository, loaded beside this one."""
    own = _loaded()
    for name in own:
        del sys.modules[name]
    sys.path.insert(0, str(root))
    try:
        table = importlib.import_module("ser_classic.features").FEATURES
        read = importlib.import_module("ser_classic.audio").read
        if not Path(sys.modules["ser_classic"].__file__).is_relative_to(root):
            raise SystemExit(f"{root}: holds no ser_classic; give the folder of a checkout of the repository")
        sets = [(name, table[name]) for name in BEFORE]
        for _, feature_set in sets:  # what it imports on its way is its own, too
            feature_set.extractor(generated(0), RATE)
    finally:
        sys.path.remove(str(root))
        for name in _loaded():
            del sys.modules[name]
        sys.modules.update(own)

    def extractor(feature_set) -> Callable[[Path], np.ndarray]:
        return lambda path: feature_set.extractor(*read(path, feature_set.sample_rate))

    return [System(f"{name}_before", f"{name} before", extractor(feature_set)) for name, feature_set in sets]


def _loaded() -> dict:
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] == "ser_classic"}


def decode(path: Path) -> np.ndarray:
    """What nobody can do without."""
    return soundfile.read(path, dtype="float32")[0]


def floor(path: Path) -> np.ndarray:
    """Decoding and one float32 transform."""
    padded = np.pad(decode(path), N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    return scipy.fft.rfft(frames * scipy.signal.get_window("hann", N_FFT).astype(np.float32), workers=1)[0]


def librosa_shared(path: Path) -> np.ndarray:
    """The descriptors and functionals of `pooled` by librosa's functions of a spectrum."""
    waveform = decode(path)
    magnitude = np.abs(librosa.stft(waveform, n_fft=N_FFT, hop_length=HOP))
    power = magnitude**2
    mel = librosa.feature.melspectrogram(S=power, sr=RATE)
    chroma = librosa.feature.chroma_stft(S=power, sr=RATE, tuning=0)
    tracks = [
        librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20),
        chroma,
        librosa.power_to_db(librosa.feature.melspectrogram(S=power, sr=RATE, n_mels=64)),
        librosa.feature.spectral_contrast(S=magnitude, sr=RATE),
        librosa.feature.tonnetz(chroma=chroma),
        librosa.feature.zero_crossing_rate(waveform, frame_length=N_FFT, hop_length=HOP),
        librosa.feature.rms(y=waveform, frame_length=N_FFT, hop_length=HOP),
        librosa.feature.spectral_centroid(S=magnitude, sr=RATE),
        librosa.feature.spectral_bandwidth(S=magnitude, sr=RATE),
        librosa.feature.spectral_rolloff(S=magnitude, sr=RATE),
        librosa.feature.spectral_flatness(S=magnitude),
    ]
    return np.concatenate([statistics(track) for track in tracks])


def statistics(track: np.ndarray) -> np.ndarray:
    ranks = np.percentile(track, PERCENTS, axis=1)
    spread = np.diff(track, axis=1).std(axis=1)
    return np.stack([track.mean(axis=1), track.std(axis=1), *ranks, spread], axis=1).ravel()


def usual(path: Path) -> np.ndarray:
    """The recipe of the tutorials: librosa's functions one by one, 193 means."""
    warnings.filterwarnings("ignore", "n_fft=")  # its constant-Q transform warns of short clips
    waveform = decode(path)
    spectrum = np.abs(librosa.stft(waveform))
    parts = [
        librosa.feature.mfcc(y=waveform, sr=RATE, n_mfcc=40),
        librosa.feature.chroma_stft(S=spectrum, sr=RATE),
        librosa.feature.melspectrogram(y=waveform, sr=RATE),
        librosa.feature.spectral_contrast(S=spectrum, sr=RATE),
        librosa.feature.tonnetz(y=librosa.effects.harmonic(waveform), sr=RATE),
    ]
    return np.concatenate([part.mean(axis=1) for part in parts])


@cache
def smile(name: str) -> Callable[[np.ndarray, int], pd.DataFrame]:
    import opensmile

    level = opensmile.FeatureLevel.Functionals
    return opensmile.Smile(opensmile.FeatureSet[name], level, num_workers=1).process_signal


def egemaps(path: Path) -> np.ndarray:
    """88 functionals (Eyben et al. 2016)."""
    return smile("eGeMAPSv02")(decode(path), RATE).to_numpy()[0]


def compare(path: Path) -> np.ndarray:
    """6373 functionals (Schuller et al. 2016)."""
    return smile("ComParE_2016")(decode(path), RATE).to_numpy()[0]


SYSTEMS = (
    System("decode", "decoding alone", decode),
    System("floor", "decoding + one float32 STFT", floor),
    ours("classic193"),
    ours("pooled"),
    ours("flagship"),
    System("librosa_shared", "librosa, spectrum shared, as pooled", librosa_shared),
    System("usual", "librosa call by call, 193 means", usual),
    System("egemaps", "openSMILE eGeMAPSv02", egemaps, needs="opensmile"),
    System("compare", "openSMILE ComParE 2016", compare, needs="opensmile"),
)
CLAIMS = (
    Claim("pooled", "floor", 3, at_least=False),
    Claim("librosa_shared", "pooled", 5),
    Claim("usual", "pooled", 45),
    Claim("egemaps", "pooled", 15),
    Claim("compare", "flagship", 1),
)
BEFORE = ("pooled", "flagship")  # compared with those of another checkout
# Columns of ours that another system means to give too (the tutorials' chroma and tonnetz are others).
SAME = {
    ("pooled", "librosa_shared"): tuple(descriptor.family for descriptor in POOLED.descriptors),
    ("classic193", "usual"): ("mfcc", "mel", "contrast"),
}


def clips(folder: Path, count: int) -> list[Path]:
    """Write the clips as FLAC, 16 bit, 16 kHz, below a folder."""
    root = os.environ.get("SER_DATA")
    found = [path for path in sorted(Path(root).rglob("*")) if path.suffix in audio.SUFFIXES] if root else []
    if found:
        chosen = [found[index] for index in np.linspace(0, len(found) - 1, count).astype(int)]
        waveforms = [audio.read(path, RATE)[0] for path in chosen]
    else:
        waveforms = [generated(number) for number in range(count)]
    paths = [folder / f"{number:03d}.flac" for number in range(len(waveforms))]
    for path, waveform in zip(paths, waveforms, strict=True):
        soundfile.write(path, waveform, RATE)
    return paths


def generated(number: int) -> np.ndarray:
    """A synthetic voice that speaks for `SECONDS`."""
    speaker = synthetic.SPEAKERS[number % len(synthetic.SPEAKERS)]
    emotion = synthetic.ACTED[number % len(synthetic.ACTED)]
    speech = [synthetic.synthesise(speaker, emotion, sentence) for sentence in synthetic.SENTENCES]
    return np.resize(np.concatenate(speech), int(SECONDS * RATE))


def measure(systems: list[System], paths: list[Path], rounds: int) -> tuple[dict, dict]:
    """Seconds [shape=(rounds * clips,)] and values [shape=(clips, d)] of every system."""
    seconds: dict[str, list[float]] = {system.name: [] for system in systems}
    values = {}
    for system in systems:  # the first call of everything is not measured
        values[system.name] = [system.extract(path) for path in paths]
    for _ in range(rounds):
        for path in paths:
            for system in systems:
                start = time.perf_counter()
                system.extract(path)
                seconds[system.name].append(time.perf_counter() - start)
    return {name: np.array(times) for name, times in seconds.items()}, values


def disagreement(values: dict, one: str, other: str, families: tuple[str, ...]) -> float:
    """Largest difference in any clip and column, in standard deviations of the column over the clips."""
    columns = FEATURES[one].columns
    shared = [index for index, column in enumerate(columns) if column.split("_")[0] in families]
    mine, theirs = np.array(values[one])[:, shared], np.array(values[other])[:, shared]
    spread = theirs.std(axis=0)
    return float((np.abs(mine - theirs).max(axis=0)[spread > 0] / spread[spread > 0]).max())


def cold(path: Path, rounds: int) -> float:
    """Seconds from the start of Python to the first vector of `pooled`; the median of all rounds."""
    code = (
        "import sys; from ser_classic import audio; from ser_classic.features import FEATURES; "
        "FEATURES['pooled'].extractor(*audio.read(sys.argv[1], 16000))"
    )
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
        took.append(time.perf_counter() - start)
    return float(np.median(took))


def since(seconds: dict, values: dict, name: str) -> dict:
    """Time of a set and its values, beside those of the other checkout."""
    now, then = np.array(values[name]), np.array(values[f"{name}_before"])
    spread = then.std(axis=0)
    apart = np.abs(now - then)[:, spread > 0] / spread[spread > 0]
    return {
        "name": name,
        "ratio": round(float(np.median(seconds[name]) / np.median(seconds[f"{name}_before"])), 3),
        "values_within_1e-4": float((apart <= 1e-4).mean()),
        "worst": float(apart.max()),
    }


def summary(count: int, rounds: int, other: Path | None = None) -> dict:
    """Measure everything."""
    systems = [system for system in SYSTEMS if importlib.util.find_spec(system.needs)]
    systems += before(other.resolve()) if other else []
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        paths = clips(Path(folder), count)
        length = float(np.mean([soundfile.info(path).duration for path in paths]))
        seconds, values = measure(systems, paths, rounds)
        start = cold(paths[0], rounds)
    median = {name: float(np.median(times)) for name, times in seconds.items()}
    libraries = dict.fromkeys(("numpy", "scipy", "soundfile", *(system.needs for system in systems)))
    return {
        "machine": machine(),
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in libraries}},
        "clips": {"count": count, "rounds": rounds, "mean_seconds": round(length, 2)},
        "systems": [
            {
                "name": system.name,
                "title": system.title,
                "milliseconds": round(1000 * median[system.name], 3),
                "quartiles": [round(1000 * q, 3) for q in np.percentile(seconds[system.name], [25, 75])],
                "times_floor": round(median[system.name] / median["floor"], 2),
                "times_pooled": round(median[system.name] / median["pooled"], 2),
            }
            for system in systems
        ],
        "claims": [
            {**asdict(claim), "measured": round(ratio, 2), "held": (ratio >= claim.times) == claim.at_least}
            for claim in CLAIMS
            if claim.slow in median and claim.fast in median
            for ratio in (median[claim.slow] / median[claim.fast],)
        ],
        "values": [
            {
                "ours": one,
                "theirs": other,
                "families": families,
                "worst": disagreement(values, one, other, families),
            }
            for (one, other), families in SAME.items()
        ],
        "before": [since(seconds, values, name) for name in BEFORE if other],
        "cold_seconds": round(start, 3),
    }


def show(result: dict) -> None:
    """Print a summary, at most 80 columns wide."""
    told = result["machine"]
    print(f"{told['processor']}, {told['cores']} cores, one thread; {told['system']} {told['architecture']}")
    print(", ".join(f"{name} {number}" for name, number in result["versions"].items()))
    told = result["clips"]
    print(f"{told['count']} clips of {told['mean_seconds']} s on average, {told['rounds']} rounds, medians\n")
    print(f"{'file to vector':<36}{'ms':>9}{'quartiles':>17}{'x floor':>9}{'x pooled':>9}")
    for row in result["systems"]:
        quartiles = "{:.2f} - {:.2f}".format(*row["quartiles"])
        print(
            f"{row['title']:<36}{row['milliseconds']:>9.2f}{quartiles:>17}"
            f"{row['times_floor']:>9.2f}{row['times_pooled']:>9.2f}"
        )
    print()
    for claim in result["claims"]:
        bound = f"{'at least' if claim['at_least'] else 'at most'} {claim['times']:g}"
        verdict = "held" if claim["held"] else "MISSED"
        times = f"{claim['measured']:.1f} times as long as {claim['fast']}"
        print(f"{claim['slow']} takes {times} ({bound}): {verdict}")
    print()
    for row in result["values"]:
        print(f"{row['ours']} and {row['theirs']} differ by {row['worst']:.1e} standard deviations at most")
        print(
            textwrap.fill(f"in {', '.join(row['families'])}", 78, initial_indent="  ", subsequent_indent="  ")
        )
    for row in result["before"]:
        share = f"{row['values_within_1e-4']:.4%} of the values within 1e-4 standard deviations"
        print(f"{row['name']} takes {row['ratio']:.3f} of the time before; {share}")
    print(f"\nFrom the start of Python to the first vector of pooled: {result['cold_seconds']:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here")
    parser.add_argument("--clips", type=int, default=24, help="how many clips (24)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each (5)")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="another checkout to compare with")
    arguments = parser.parse_args()
    result = summary(arguments.clips, arguments.rounds, arguments.before)
    show(result)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
