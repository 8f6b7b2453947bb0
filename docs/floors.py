"""Draw which parts of the package import which: `python docs/floors.py floors.svg`; `make docs` does, too."""

from __future__ import annotations

import ast
import graphlib
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib.pyplot as plt

from ser_classic.plots.style import BLIND, INK, LEAKY, LINE, MUTED, STYLE

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ser_classic"
NAMES = ("ground", "what there is", "to run", "to read", "command line")


def floors() -> dict[str, int]:
    """The floor of each part, as tests/test_floors.py checks it."""
    tree = ast.parse((ROOT / "tests" / "test_floors.py").read_text())
    found = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    levels = ast.literal_eval(found["LEVELS"])
    return {name: floor for floor, names in enumerate(levels) for name in names.split()}


def imports(parts: set[str]) -> dict[str, set[str]]:
    """The parts that each part imports, anywhere in its files."""
    found: dict[str, set[str]] = {part: set() for part in parts}
    for path in PACKAGE.rglob("*.py"):
        part = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if part in parts and isinstance(node, ast.ImportFrom) and node.module:
                words = [*node.module.split("."), *(alias.name for alias in node.names)]
                if words[0] == "ser_classic" and words[1] in parts - {part}:
                    found[part].add(words[1])
    return found


def chains(graph: dict[str, set[str]]) -> dict[str, tuple[str, ...]]:
    """The longest way down from each part."""
    longest: dict[str, tuple[str, ...]] = {}
    for part in graphlib.TopologicalSorter(graph).static_order():
        below = sorted((longest[each] for each in graph[part]), key=lambda chain: (len(chain), chain))
        longest[part] = (part, *(below[-1] if below else ()))
    return longest


def draw(path: Path) -> None:
    """Boxes on their floors, an arrow for each import that no longer way implies, the longest way marked."""
    floor = floors()
    graph = imports(set(floor))
    reach = {part: set().union(*(chain_of(graph, each) for each in below)) for part, below in graph.items()}
    arrows = [(a, b) for a in graph for b in graph[a] if not any(b in reach[c] for c in graph[a] - {b})]
    within = chains({a: {b for b in graph[a] if floor[b] == floor[a]} for a in graph})
    rows = defaultdict(list)
    for part in sorted(floor):
        rows[floor[part], len(within[part])].append(part)
    height = {row: place + 0.35 * row[0] for place, row in enumerate(sorted(rows))}
    place = {part: (0.0, height[row]) for row, parts in rows.items() for part in parts}
    for _ in range(20):  # each part near the middle of those that it is joined to
        for row, parts in rows.items():
            joined = {
                part: [place[b if a == part else a][0] for a, b in arrows if part in (a, b)] for part in parts
            }
            parts.sort(key=lambda part: (sum(joined[part]) / max(len(joined[part]), 1), part))
            for number, part in enumerate(parts):
                shift = 0.06 * (sorted(rows).index(row) % 4 - 1.5)  # no two rows alike: arrows pass the boxes
                place[part] = (0.9 * (number + 0.5) / len(parts) - 0.45 + shift, height[row])
    longest = max(chains(graph).values(), key=len)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7.2, 6.4), layout="constrained")
        for a, b in arrows:
            marked = b in longest and a in longest and longest.index(b) == longest.index(a) + 1
            style = {
                "color": LEAKY if marked else LINE,
                "lw": 1.6 if marked else 1,
                "shrinkA": 9,
                "shrinkB": 9,
            }
            axes.annotate("", place[b], place[a], arrowprops={"arrowstyle": "-|>", **style})
        for part, (x, y) in place.items():
            box = {"boxstyle": "round,pad=0.35", "fc": "white", "ec": BLIND}
            axes.text(x, y, part, ha="center", va="center", color=INK, bbox=box)
        for number, name in enumerate(NAMES):
            ys = [y for part, (_, y) in place.items() if floor[part] == number]
            axes.text(-0.72, (min(ys) + max(ys)) / 2, f"{number}  {name}", va="center", color=MUTED)
            axes.axhline(min(ys) - 0.68, color=LINE, lw=0.8, ls=":")
        axes.set(xlim=(-0.73, 0.5), ylim=(-0.7, max(height.values()) + 0.5))
        axes.axis("off")
        figure.supxlabel(f"The longest chain has {len(longest)} parts.", color=LEAKY)
        figure.savefig(path)
    plt.close(figure)


def chain_of(graph: dict[str, set[str]], part: str) -> set[str]:
    """A part and all that it imports, directly or not."""
    return {part}.union(*(chain_of(graph, each) for each in graph[part]))


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
