"""Degradations: what happens to a recording on its way, to test a system on what it was not trained on.

Each acts on a waveform at 16 kHz, the rate of all our feature sets, and is always the same for the same clip:
its name is the seed. The result of a coder also depends on the version of libsndfile.
"""

from __future__ import annotations

from functools import partial

from ser_classic.degradations.backgrounds import babble, music, noise
from ser_classic.degradations.channel import NARROW, clipped, coded, gain, lossy, room, silence, telephone
from ser_classic.degradations.copies import COPIES, training_copy
from ser_classic.degradations.degradation import RATE, Degradation
from ser_classic.registry import Registry

__all__ = ["COPIES", "DEGRADATIONS", "RATE", "Degradation", "training_copy"]

_CODED = partial(Degradation, coder=True)
_MP3 = partial(coded, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE", compression_level=0.8)
_OPUS = partial(coded, format="OGG", subtype="OPUS")
_WAV = partial(coded, rate=NARROW, format="WAV")

DEGRADATIONS: Registry[Degradation] = Registry(
    "degradations",
    [
        Degradation("noise20", "white noise", "20 dB", partial(noise, ratio=20.0)),
        Degradation("noise10", "white noise", "10 dB", partial(noise, ratio=10.0)),
        Degradation("noise0", "white noise", "0 dB", partial(noise, ratio=0.0)),
        Degradation("telephone", "telephone", "300-3400 Hz", telephone),
        # At 16 kHz some 18 and 21 kbit/s
        _CODED("mp3", "coding", "MP3", _MP3),
        _CODED("opus", "coding", "Opus", _OPUS),
        Degradation("faint", "gain", "-20 dB", partial(gain, level=-20.0)),
        Degradation("clipped", "clipping", "10 %", partial(clipped, share=0.1)),
        Degradation("silence", "silence around", "1 s", silence),
        Degradation("babble10", "voices", "10 dB", partial(babble, ratio=10.0)),
        Degradation("music10", "music", "10 dB", partial(music, ratio=10.0)),
        Degradation("room", "room", "0.6 s", partial(room, decay=0.6)),
        _CODED("mulaw", "telephone coding", "mu-law", partial(_WAV, subtype="ULAW")),
        _CODED("gsm", "telephone coding", "GSM 06.10", partial(_WAV, subtype="GSM610")),
        _CODED("opus12", "coding", "Opus, 12 kbit/s", partial(_OPUS, compression_level=0.98)),
        Degradation("lost10", "packets lost", "10 %", partial(lossy, share=0.1)),
    ],
)
