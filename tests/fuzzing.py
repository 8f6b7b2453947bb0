"""What the fuzz tests run in a process of its own, so that a crash or a hang is a result, not the end.

    python tests/fuzzing.py audio|models SEED NUMBER FOLDER [MODEL...]

Prints JSON: how many inputs were taken, answered and refused, and what went otherwise.
"""

import io
import json
import logging
import random
import resource
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import soundfile

from ser_classic.corpora.synthetic import synthesise
from ser_classic.errors import SerClassicError
from ser_classic.predictor import Predictor, load_predictor
from ser_classic.predictor.cards import text
from ser_classic.predictor.saving import DESCRIPTION

FORBIDDEN = ["subprocess.Popen"]
FORBIDDEN += [f"os.{name}" for name in ("exec", "fork", "forkpty", "posix_spawn", "spawn", "system")]
MEMORY = 6 * 2**30  # [bytes] of address space; more is a bomb that went off
SLOW = 20.0  # [s] of the processor for one input; one that hangs ends with the limit of all
FORMATS = (("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"),
           ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16"))  # fmt: skip


def mutate(content: bytes, draw: random.Random) -> bytes:
    """Cut, overwrite, insert or repeat some bytes; most of all in the head, where formats say what comes."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        end = min(len(changed), 64) if draw.random() < 0.6 else len(changed)
        place = draw.randrange(max(end, 1))
        what = draw.randrange(6)
        if what == 0:
            del changed[place:]
        elif what == 1:
            changed[place : place + 1] = bytes([draw.randrange(256)])
        elif what == 2:
            changed[place : place + 4] = draw.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\1\0\0\0")
            )
        elif what == 3:
            changed[place:place] = draw.randbytes(draw.randint(1, 40))
        elif what == 4:
            changed += changed[place:]
        else:
            del changed[place : place + draw.randint(1, 30)]
    return bytes(changed)


def audio_inputs(draw: random.Random, number: int) -> list[bytes]:
    """Recordings in every format, then broken ones, and noise behind every format's first bytes."""
    waveform = synthesise("s01", "angry", "t1")[:12_000]
    whole = []
    for form, subtype in FORMATS:
        target = io.BytesIO()
        soundfile.write(target, waveform, 16_000, format=form, subtype=subtype)
        whole.append(target.getvalue())
    inputs = list(whole)
    for turn in range(number):
        source = whole[turn % len(whole)]
        if draw.random() < 0.15:
            inputs.append(source[: draw.randint(0, 48)] + draw.randbytes(draw.randint(0, 4000)))
        else:
            inputs.append(mutate(source, draw))
    return inputs


def model_inputs(models: list[bytes], draw: random.Random, number: int) -> list[bytes]:
    """Broken model files; and such as are written again, as by somebody who knows how."""
    inputs = list(models)
    for turn in range(number):
        content = models[turn % len(models)]
        inputs.append(mutate(content, draw) if turn % 4 == 0 else rewritten(content, draw))
    return inputs


def rewritten(content: bytes, draw: random.Random) -> bytes:
    """The file with one member changed, in its text or in its bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
        names = old.namelist()
        chosen = draw.choice([DESCRIPTION, DESCRIPTION, *names])
        for name in names:
            member = old.read(name)
            if name == chosen:
                member = changed_json(member, draw) if name.endswith(".json") else changed_array(member, draw)
            new.writestr(name, member)
    return target.getvalue()


def changed_json(text: bytes, draw: random.Random) -> bytes:
    """A tree with one leaf or branch replaced by something odd, or by another branch."""
    tree = json.loads(text)
    places: list[tuple[dict | list, str | int]] = []

    def walk(node: object) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in items:
            places.append((node, key))
            walk(value)

    walk(tree)
    holder, key = draw.choice(places)
    other, place = draw.choice(places)
    odd = [None, -1, 10**12, 1.5, "", "os.system", [], {}, True, "numpy", "Machine", "NaN", other[place]]
    holder[key] = draw.choice(odd)
    return json.dumps(tree).encode()


def changed_array(member: bytes, draw: random.Random) -> bytes:
    """Values that are others, more, fewer, or no numbers."""
    if draw.random() < 0.4 or len(member) < 8:
        return mutate(member, draw)
    place = draw.randrange(len(member) // 8) * 8
    odd = draw.choice((b"\xff" * 8, b"\0" * 8, b"\xff\xff\xff\x7f" * 2, np.float64(1e300).tobytes()))
    return member[:place] + odd + member[place + 8 :]


def answer_to_audio(predictor: Predictor, content: bytes, folder: Path) -> bool:
    """Whether a recording was answered; refused ones have one line."""
    path = folder / "input.wav"
    path.write_bytes(content)
    problems: list[str] = []
    answers = predictor.predict(path, problem=problems.append)
    answers = answers if len(answers) else predictor.predict(path, window=1.0, problem=problems.append)
    if len(answers):
        return True
    if not problems or any("\n" in line for line in problems):
        raise AssertionError(f"refused with {problems!r}")
    return False


def answer_with_model(path: Path, waveform: np.ndarray) -> bool:
    """Whether a model file was loaded and answered."""
    try:
        predictor = load_predictor(path)
        predictor.predict((waveform, 16_000))
        text(predictor.card)
    except SerClassicError as error:
        if "\n" in str(error):
            raise AssertionError(f"refused in several lines: {error}") from error
        return False
    return True


def main(kind: str, seed: int, number: int, folder: Path, models: list[Path]) -> None:
    draw = random.Random(seed)
    predictor = load_predictor(models[0])
    waveform = synthesise("s01", "angry", "t1")
    for model in models:  # what is imported on first use is not what an input does
        load_predictor(model).predict((waveform, 16_000))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    started: list[str] = []
    sys.addaudithook(lambda event, _: started.append(event) if event in FORBIDDEN else None)
    told = {"inputs": 0, "answered": 0, "refused": 0, "wrong": [], "slowest": 0.0}
    saved = [path.read_bytes() for path in models]
    inputs = audio_inputs(draw, number) if kind == "audio" else model_inputs(saved, draw, number)
    for place, content in enumerate(inputs):
        (folder / "last").write_bytes(content)  # to be found after a crash
        before = time.process_time()
        try:
            good = (
                answer_to_audio(predictor, content, folder)
                if kind == "audio"
                else answer_with_model(folder / "last", waveform)
            )
            told["answered" if good else "refused"] += 1
        except BaseException as error:
            told["wrong"].append(f"input {place}: {type(error).__name__}: {error}"[:300])
        taken = time.process_time() - before
        told["slowest"] = max(told["slowest"], round(taken, 2))
        if taken > SLOW:
            told["wrong"].append(f"input {place}: took {taken:.0f} s")
        told["inputs"] += 1
    told["wrong"] += [f"started a process: {event}" for event in started]
    print(json.dumps(told))


if __name__ == "__main__":
    logging.getLogger("ser_classic").setLevel(logging.ERROR)  # what it notes of a recording is no fault
    kind, seed, number, *names = sys.argv[1:]
    folder, *models = map(Path, names)
    main(kind, int(seed), int(number), folder, models)
