"""The page: nothing from outside, all of it escaped, and sortable and readable in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import made_up_runs as made_up
import numpy as np
import pytest
from matplotlib.image import imread

from ser_classic.plots.style import svg
from ser_classic.report.board import scored, tabulated
from ser_classic.report.gallery import pictures
from ser_classic.report.leak import leak_chapter, leak_premium
from ser_classic.report.page import figure_element, page

HOSTILE = "<img src=x onerror=alert(1)>\"'&"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
browser = pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine; apt-get install chromium")


@pytest.fixture(scope="module")
def html():
    hostile = made_up.run("emodb", "loso", "pooled", "knn", seed=3)
    runs = scored(
        [
            *(
                made_up.run("emodb", protocol, features, model)
                for protocol in made_up.PROTOCOLS
                for features in ("mfcc13", "classic193", "pooled")
                for model in ("prior", "knn", "svm_rbf", "random_forest", "mlp")
            ),
            made_up.run("tess", "loso", "pooled", "knn"),
            made_up.failed("emodb", "loso", "pooled", "xgboost", HOSTILE),
            made_up.MadeUp({**hostile.record, "features": HOSTILE, "model": "$x_1$"}, hostile.table),
        ],
        made_up.clips,
    )
    leak = leak_chapter(leak_premium(runs))
    (drawn,) = (figure_element(picture, svg(picture.figure)) for picture in leak.pictures)
    figures = [(picture.corpus, figure_element(picture, svg(picture.figure))) for picture in pictures(runs)]
    return page(tabulated(runs), figures, [leak.section(drawn)])


@pytest.fixture(scope="module")
def written(html, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "leaderboard.html"
    path.write_text(html)
    return path


class Elements(HTMLParser):
    """Every element's name and attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_nothing_comes_from_elsewhere(html):
    for tag, attributes in Elements(html).found:
        assert tag not in ("link", "img", "iframe", "object", "base")
        assert "src" not in attributes
        for name in ("href", "xlink:href"):
            assert attributes.get(name, "#").startswith("#")
        assert not re.search(r"url\((?!#)", attributes.get("style", ""))
    assert "@import" not in html


def test_links_lead_somewhere_and_names_are_unique(html):
    elements = Elements(html).found
    names = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(names) == len(set(names))
    for tag, attributes in elements:
        for name in ("href", "xlink:href"):
            assert attributes.get(name, "#" + names[0])[1:] in names, tag
        for target in re.findall(r"url\(#([^)]+)\)", str(attributes)):
            assert target in names


def test_labels_are_escaped(html):
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;" in html
    assert [tag for tag, _ in Elements(html).found].count("img") == 0
    assert "$x_1$" in html


def test_figures_take_the_colours_of_the_page(html):
    drawings = re.findall(r"<svg[^>]*role=.*?</svg>", html, flags=re.DOTALL)
    assert len(drawings) > 4
    for drawing in drawings:
        assert re.search(r'aria-label="[^"]+"', drawing)
        colours = set(re.findall(r"(?:fill|stroke|color): (#[0-9a-f]{6})", drawing))
        assert not colours, "a colour that does not follow light and dark"


def test_every_variable_is_set_for_every_ground(html):
    style = html[html.index("<style>") : html.index("</style>")]
    used = set(re.findall(r"var\((--[\w-]+)\)", html)) - {"--width"}
    for ground in re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL):
        assert used <= set(re.findall(r"(--[\w-]+):", ground))


def chromium(path: Path, folder: Path, *options: str) -> str:
    done = subprocess.run(
        [
            str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--hide-scrollbars", "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}",
            *options, path.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr, done.stderr
    return done.stdout


def with_script(html: str, folder: Path, script: str) -> Path:
    path = folder / "page.html"
    path.write_text(html.replace("</body>", f"<script>{script}</script></body>"))
    return path


@browser
def test_tables_sort_in_a_browser(html, tmp_path):
    script = """
        const table = document.querySelector('[aria-label="emodb, blind"]');
        const column = n => [...table.tBodies[0].rows].map(row => row.cells[n].textContent);
        const press = n => table.tHead.rows[0].cells[n].firstChild.click();
        const seen = [column(4)];
        press(4); press(4); seen.push(column(4));
        press(2); seen.push(column(2));
        document.title = JSON.stringify(seen);
    """
    dom = chromium(with_script(html, tmp_path, script), tmp_path, "--dump-dom")
    ranked, up, by_name = json.loads(re.search("<title>(.*?)</title>", dom)[1])
    assert len(ranked) == 17
    assert ranked[:-1] == sorted(ranked[:-1], reverse=True)
    assert up[:-1] == sorted(ranked[:-1])
    assert ranked[-1] == up[-1] == "", "a failed run stays last"
    assert by_name == sorted(by_name)


@browser
def test_long_tables_open_in_a_browser(html, tmp_path):
    count = (
        "const t = document.querySelector('[aria-label=\"emodb, blind\"]');"
        "const seen = () => [...t.tBodies[0].rows].filter(r => getComputedStyle(r).display != 'none').length;"
        "const before = seen(); t.closest('.scroll').nextSibling.click();"
        "document.title = before + ' ' + seen();"
    )
    dom = chromium(with_script(html, tmp_path, count), tmp_path, "--dump-dom")
    assert "<title>10 17</title>" in dom


@browser
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_never_wider_than_the_screen(html, tmp_path, width):
    script = "document.title = [innerWidth, document.documentElement.scrollWidth];"
    dom = chromium(with_script(html, tmp_path, script), tmp_path, "--dump-dom", f"--window-size={width},900")
    inner, whole = map(int, re.search(r"<title>(\d+),(\d+)</title>", dom).groups())
    assert whole <= inner


@browser
def test_a_phone_shows_whole_pictures_and_the_first_figures_of_tables(html, tmp_path):
    script = """
        document.body.style.width = '390px';  // narrower than a window can be
        const right = what => Math.max(...[...document.querySelectorAll(what)].map(
            found => found.getBoundingClientRect().right));
        document.querySelectorAll('details').forEach(one => { one.open = true; });
        const frames = [...document.querySelectorAll('figure .scroll')];
        const beyond = () => Math.max(...frames.map(frame => frame.scrollWidth - frame.clientWidth));
        const seen = [right('body'), right('.scroll'), right('figure svg'),
            right('[aria-label="emodb, adapted"] th:nth-child(5)'), beyond()];
        document.querySelectorAll('.larger').forEach(one => one.click());
        const scales = [...document.querySelectorAll('figure svg')].map(
            drawn => drawn.getBoundingClientRect().width / drawn.viewBox.baseVal.width);
        seen.push(Math.min(...scales), right('.scroll'));
        document.querySelectorAll('.larger').forEach(one => one.click());
        document.title = [...seen, beyond()];
    """
    dom = chromium(with_script(html, tmp_path, script), tmp_path, "--dump-dom", "--window-size=500,900")
    found = re.search("<title>(.*?)</title>", dom)[1].split(",")
    body, frames, drawings, uar, beyond, scale, enlarged, again = map(float, found)
    assert max(frames, drawings, uar) <= body
    assert beyond == again == 0
    assert scale > 1, "letters are larger than they were drawn"
    assert enlarged <= body, "what is wider scrolls in its frame"


@browser
def test_light_and_dark_in_a_browser(written, tmp_path):
    grounds = {}
    for scheme, number in (("dark", 0), ("light", 1)):
        shot = tmp_path / f"{scheme}.png"
        options = (
            f"--blink-settings=preferredColorScheme={number}",
            f"--screenshot={shot}",
            "--window-size=1000,2600",
        )
        chromium(written, tmp_path, *options)
        image = imread(shot)[..., :3]
        grounds[scheme] = np.median(image, axis=(0, 1)).mean()
        ink = np.abs(image - np.median(image, axis=(0, 1))).max(axis=-1)
        assert 0.02 < (ink > 0.3).mean() < 0.5, "neither empty nor full"
    assert grounds["dark"] < 0.2 < 0.9 < grounds["light"]


@browser
def test_it_prints(written, tmp_path):
    target = tmp_path / "page.pdf"
    chromium(written, tmp_path, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    data = target.read_bytes()
    assert data.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", data)) >= 3
