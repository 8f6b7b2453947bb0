"""Corpora on disk for tests: empty files, and eight WAV files in the place of RAVDESS."""

import hashlib
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from ser_classic.corpora import CORPORA, Reading
from ser_classic.corpora.corpus import Corpus
from ser_classic.corpora.synthetic import synthesise
from ser_classic.corpora.vocal_tract import SAMPLE_RATE
from ser_classic.registry import Registry

SPEAKERS = Reading(speaker=r"/(s\d\d)_")  # who speaks in what `record` writes
FILES = tuple(
    f"Actor_0{actor}/03-01-0{emotion}-01-01-01-0{actor}.wav" for actor in (1, 2) for emotion in (1, 3, 4, 5)
)


def write_wav(path: Path, seed: int, seconds: float = 0.05) -> None:
    """Noise that a seed tells apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).integers(-9000, 9000, int(16000 * seconds)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(samples.tobytes())


def record(root: Path, speakers: tuple[str, ...], seed: int = 0) -> None:
    """A folder per emotion: 12 short clips of each speaker, of 3 emotions, 2 sentences and 2 takes."""
    for emotion in ("neutral", "angry", "sad"):
        (root / emotion).mkdir(parents=True)
        for speaker in speakers:
            for sentence in ("t1", "t2"):
                for take in (1, 2):
                    waveform = synthesise(speaker, emotion, sentence, take, seed)
                    name = f"{speaker}_{sentence}_{take}.wav"
                    soundfile.write(root / emotion / name, waveform, SAMPLE_RATE, subtype="PCM_16")


def write_release(folder: Path) -> Path:
    """The official release, and beside it its list; returns the list."""
    lines = ["file\tsha256\tbytes"]
    for seed, name in enumerate(FILES):
        write_wav(folder / name, seed)
        content = (folder / name).read_bytes()
        lines.append(f"{name}\t{hashlib.sha256(content).hexdigest()}\t{len(content)}")
    checksums = folder.parent / f"{folder.name}.tsv"
    checksums.write_text("\n".join(lines) + "\n")
    return checksums


def tiny(checksums: Path, excluded: dict[str, str] | None = None, **changes: object) -> Corpus:
    """The corpus whose official files are those of the list."""
    facts = {"archive": "", "clips": len(FILES), "speakers": 2}
    return replace(CORPORA["ravdess"], checksums=checksums, excluded=excluded or {}, **(facts | changes))


def install(monkeypatch, corpus: Corpus) -> None:
    """Make it the corpus of its name."""
    import ser_classic.corpora
    import ser_classic.corpora.fetching

    table = Registry("corpora", [corpus])
    monkeypatch.setattr(ser_classic.corpora, "CORPORA", table)
    monkeypatch.setattr(ser_classic.corpora.fetching, "CORPORA", table)


def touch(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def lay_out(root: Path, name: str) -> None:
    """Empty files under the official names; a scan does not read audio."""
    touch(root, *CORPORA[name].official["file"])
