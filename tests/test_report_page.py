"""The page: nothing from outside, all of it escaped, and searched, unfolded and printed in a real browser."""

import csv
import io
import re
import shutil
from html.parser import HTMLParser

import made_up_runs as made_up
import pytest

from ser_classic.plots.style import svg
from ser_classic.report.board import scored, systems
from ser_classic.report.leak import leak_chapter, leak_premium
from ser_classic.report.overview import systems_chapter
from ser_classic.report.page import page
from ser_classic.report.text import Chapter
from ser_classic.tables import Table

HOSTILE = "<img src=x onerror=alert(1)>\"'&"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def html():
    hostile = made_up.run("emodb", "loso", "pooled", "knn", seed=3)
    brought = made_up.run("emodb", "loso", "pooled", "mlp", brought=["pooled"])
    runs = scored(
        [
            *(
                made_up.run("emodb", protocol, features, model)
                for protocol in made_up.PROTOCOLS
                for features in ("mfcc13", "classic193", "pooled")
                for model in ("prior", "knn", "svm_rbf")
            ),
            brought,
            made_up.run("tess", "loso", "pooled", "knn"),
            made_up.failed("emodb", "loso", "pooled", "xgboost", HOSTILE),
            made_up.MadeUp({**hostile.record, "features": HOSTILE, "model": "$x_1$"}, hostile.table),
        ],
        made_up.clips,
    )
    chapters = [Chapter("first", "First", "", (Table(("a",), (("b",),)),))]
    chapters += [leak_chapter(leak_premium(runs)), systems_chapter(runs)]
    drawn = {one.name: svg(one.draw()) for each in chapters for one in each.pictures}
    return page(runs, systems(runs), chapters, drawn)


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
    assert "$x_" in html


def test_figures_take_the_colours_of_the_page(html):
    drawings = re.findall(r"<svg[^>]*role=.*?</svg>", html, flags=re.DOTALL)
    assert len(drawings) == 3
    for drawing in drawings:
        assert re.search(r'aria-label="[^"]+"', drawing)
        colours = set(re.findall(r"(?:fill|stroke|color): (#[0-9a-f]{6})", drawing))
        assert not colours, "a colour that does not follow light and dark"


def test_every_variable_is_set_for_every_ground(html):
    style = html[html.index("<style>") : html.index("</style>")]
    own = {"--width", "--side", "--colour", "--v", "--l", "--h", "--chance", "--share", "--over"}
    used = set(re.findall(r"var\((--[\w-]+)", html)) - own
    for ground in re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL):
        assert used <= set(re.findall(r"(--[\w-]+):", ground))


def test_without_a_script_all_systems_are_there_ranked(html):
    body = re.search(r'data-track="blind" data-protocol="loso".*?</tbody>', html, re.DOTALL)[0]
    uars = [float(uar) for uar in re.findall(r'<td>(\.\d{3})[^<]*</td><td>[^<]*</td><td class="bar"', body)]
    assert len(uars) == 11
    assert uars == sorted(uars, reverse=True)
    assert "failed: " in body
    assert html.count("(01/02)") == 1, "who they are whose UAR is shown in the place of an interval"


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install 'ser-classic[dev]'")
    if BROWSER is None:
        pytest.skip("no chromium on this machine; apt-get install chromium")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def opened(html, browser, tmp_path):
    """The page as it first shows; nothing may go wrong on it."""
    (tmp_path / "leaderboard.html").write_text(html)
    wrong: list[str] = []
    sheet = browser.new_page(viewport={"width": 1280, "height": 900})
    sheet.set_default_timeout(300_000)  # [ms], on a machine with other work
    sheet.on("pageerror", lambda error: wrong.append(str(error)))
    sheet.on("console", lambda message: wrong.append(message.text))
    sheet.goto((tmp_path / "leaderboard.html").as_uri())
    yield sheet
    sheet.close()
    assert not wrong


ROW = "emodb--loso--pooled--svm_rbf"
SEEN = "rows => rows.filter(row => row.offsetParent).map(row => row.id)"


def seen(sheet) -> list[str]:
    return sheet.eval_on_selector_all("#all tr[id]", SEEN)


def test_systems_are_searched_filtered_and_copied(opened):
    assert len([name for name in seen(opened) if name.startswith("emodb--loso--")]) == 5
    opened.select_option("[name=corpus]", "emodb")
    opened.select_option("[name=track]", "blind")
    opened.click("#all tbody:not([hidden]) .foot button")
    assert len(seen(opened)) == 12
    opened.uncheck("[name=others]")
    assert "emodb--loso--pooled--mlp" not in seen(opened)
    opened.fill("[name=search]", "pooled svm")
    assert seen(opened) == [ROW]
    opened.evaluate("navigator.clipboard.writeText = text => { window.copied = text; }")
    opened.click("[name=csv]")
    head, row = csv.reader(io.StringIO(opened.evaluate("window.copied")))
    assert head[:6] == ["corpus", "track", "protocol", "#", "features", "model"]
    assert (row[:3], row[4:6]) == (["emodb", "blind", "loso"], ["pooled", "svm_rbf"])
    opened.click("[type=reset]")
    opened.wait_for_function("document.querySelectorAll('#all tbody[hidden]').length === 0")


def test_the_switch_for_systems_from_elsewhere_is_there_where_any_is(opened, html):
    assert opened.is_visible("[name=others]")
    without = opened.context.browser.new_page()
    without.set_content(html.replace(' data-source="brought"', ""))
    assert without.is_visible("[name=search]")
    assert not without.is_visible("[name=others]")
    without.close()


def test_a_row_unfolds_and_has_a_link_and_back_folds_it(opened):
    opened.click(f"tr[id='{ROW}'] td")
    assert opened.evaluate("location.hash") == f"#{ROW}"
    told = opened.inner_text(".detail")
    assert "UAR of each of 10 speakers" in told
    (of_speakers,) = scored([made_up.run("emodb", "loso", "pooled", "svm_rbf")], made_up.clips)["counts"]
    counts = of_speakers.counts.sum(axis=0)
    first = f"{counts[0, 0] / counts[0].sum():.3f}".removeprefix("0")
    assert opened.inner_text(".detail .confusions tbody tr td:last-child") == first
    opened.go_back()
    opened.wait_for_function("location.hash === ''")
    opened.wait_for_selector(".detail", state="detached")
    opened.go_forward()
    opened.wait_for_selector(f"tr[id='{ROW}'] + .detail")
    opened.click(f"tr[id='{ROW}'] td")
    assert opened.locator(".detail").count() == 0


def test_headings_sort_each_ranking_on_its_own(opened):
    column = """() => [...document.querySelectorAll('#all tbody')].map(body => [...body.rows].filter(row =>
        row.id && !row.matches('.failed')).map(row => Number(row.cells[3].textContent)))"""
    ranked = opened.evaluate(column)
    opened.click("#all thead th:nth-child(4) button")
    opened.click("#all thead th:nth-child(4) button")
    assert opened.evaluate(column) == [sorted(part) for part in ranked]
    last = "document.querySelector('#all tbody .failed').nextElementSibling.className"
    assert opened.evaluate(last) == "foot", "a failed run stays last"
    opened.click("#all thead th:nth-child(4) button")
    assert opened.evaluate(column) == ranked


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_never_wider_than_the_screen_and_the_first_figures_show(opened, width):
    opened.set_viewport_size({"width": width, "height": 900})
    opened.wait_for_function(f"innerWidth === {width}")
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    right = "document.querySelector('#all thead th:nth-child(5)').getBoundingClientRect().right"
    assert opened.evaluate(right) <= width


def test_light_dark_and_print(opened):
    ground = "getComputedStyle(document.body).backgroundColor"
    grounds = []
    for scheme in ("light", "dark"):
        opened.emulate_media(color_scheme=scheme)
        grounds.append(opened.evaluate(ground))
    assert grounds[0] == "rgb(255, 255, 255)" != grounds[1]
    opened.emulate_media(media="print", color_scheme="light")
    assert opened.is_hidden("#filters")
    assert opened.is_hidden("nav")
    assert opened.pdf().startswith(b"%PDF")
