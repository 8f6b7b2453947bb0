"""Answers along a recording as labels for other programs: Audacity, ELAN and Praat, video players.

Formats: Audacity's label track <https://manual.audacityteam.org/man/importing_and_exporting_labels.html>,
Praat's TextGrid in its long form, which ELAN reads too, and SubRip subtitles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Answer = Mapping[str, Any]  # start and end [s], emotion or None, and perhaps channel and confidence


def audacity(answers: Sequence[Answer], seconds: float) -> str:
    """One line per answer: start, end and text, separated by tabs."""
    return "".join(
        f"{answer['start']:.6f}\t{answer['end']:.6f}\t{_channel(answer)}{_text(answer)}\n"
        for answer in answers
    )


def srt(answers: Sequence[Answer], seconds: float) -> str:
    """One numbered subtitle per answer, ordered by start."""
    ordered = sorted(answers, key=lambda answer: (answer["start"], str(answer.get("channel", ""))))
    return "".join(
        f"{number}\n{_clock(answer['start'])} --> {_clock(answer['end'])}\n"
        f"{_channel(answer)}{_text(answer)}\n\n"
        for number, answer in enumerate(ordered, start=1)
    )


def textgrid(answers: Sequence[Answer], seconds: float) -> str:
    """One tier per channel, whose intervals cover the recording without a gap; empty ones hold no answer.

    Where answers overlap, as windows do, each ends where the next one begins: a tier knows no overlap.
    """
    tiers: dict[str, list[Answer]] = {}
    for answer in answers:
        tiers.setdefault(str(answer.get("channel") or "emotion"), []).append(answer)
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {seconds:.6f}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for place, (name, those) in enumerate(tiers.items(), start=1):
        intervals = _covering(those, seconds)
        lines += [
            f"    item [{place}]:",
            '        class = "IntervalTier"',
            f'        name = "{_quoted(name)}"',
            "        xmin = 0",
            f"        xmax = {seconds:.6f}",
            f"        intervals: size = {len(intervals)}",
        ]
        for number, (start, end, text) in enumerate(intervals, start=1):
            lines += [
                f"        intervals [{number}]:",
                f"            xmin = {start:.6f}",
                f"            xmax = {end:.6f}",
                f'            text = "{_quoted(text)}"',
            ]
    return "\n".join(lines) + "\n"


FORMATS: dict[str, Callable[[Sequence[Answer], float], str]] = {
    "audacity": audacity,
    "textgrid": textgrid,
    "srt": srt,
}


def _covering(answers: Sequence[Answer], seconds: float) -> list[tuple[float, float, str]]:
    """Intervals from 0 to the end, each up to the next one."""
    ordered = sorted(answers, key=lambda answer: answer["start"])
    intervals: list[tuple[float, float, str]] = []
    reached = 0.0
    for number, answer in enumerate(ordered):
        start, end = max(answer["start"], reached), min(answer["end"], seconds)
        if number + 1 < len(ordered):
            end = min(end, ordered[number + 1]["start"])
        if end <= start:
            continue
        if start > reached:
            intervals.append((reached, start, ""))
        intervals.append((start, end, _text(answer)))
        reached = end
    if reached < seconds:
        intervals.append((reached, seconds, ""))
    return intervals


def _text(answer: Answer) -> str:
    confidence = answer.get("confidence")
    if answer["emotion"] is None:
        return "silent"
    sure = confidence is not None and confidence == confidence  # not NaN
    return f"{answer['emotion']} {confidence:.2f}" if sure else str(answer["emotion"])


def _channel(answer: Answer) -> str:
    return f"{answer['channel']}: " if answer.get("channel") else ""


def _quoted(text: str) -> str:
    return text.replace('"', '""')


def _clock(seconds: float) -> str:
    milliseconds = round(1000 * seconds)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02},{rest % 1000:03}"
