"""The page: what it answers and refuses, and that a real browser can use it, offline."""

import base64
import io
import re
import shutil
import signal
import socket
import sys
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_classic.audio import AudioError
from ser_classic.corpora.synthetic import synthesise
from ser_classic.errors import SerClassicError
from ser_classic.extras.app import answering
from ser_classic.extras.app import page as app
from ser_classic.extras.app.answering import Limits, reply
from ser_classic.predictor import cards, load_predictor, read_card

RATE = 16_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    *("--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-quic", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@pytest.fixture(scope="module")
def models(fitted, tmp_path_factory) -> Path:
    """A folder with two predictors, one that the page cannot offer, and one that is broken."""
    folder = tmp_path_factory.mktemp("models")
    for model in ("svm_rbf", "ridge"):
        fitted(model).save(folder / f"{model}.skops")
    fitted("ridge", adapted=True).save(folder / "adapted.skops")
    (folder / "broken.skops").write_bytes(b"PK broken")
    return folder


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "short.wav"
    soundfile.write(path, synthesise("s05", "angry", "t3"), RATE)
    return path


@pytest.fixture(scope="module")
def long(short) -> Path:
    said = [synthesise("s05", word, "t3") for word in ("angry", "sad", "neutral", "angry", "sad", "neutral")]
    path = short.with_name("long.wav")
    soundfile.write(path, np.concatenate(said), RATE)
    return path


def test_predictors_are_offered_by_title_and_the_others_are_told(models, tmp_path):
    problems: list[str] = []
    second = Path(shutil.copy(models / "ridge.skops", tmp_path / "second.skops"))
    offered = app.predictors_in([models, models / "ridge.skops", second], problems.append)
    assert set(offered.values()) == {models / "ridge.skops", models / "svm_rbf.skops", second}
    assert all(title.startswith("tiny, mfcc13, ") for title in offered)
    for name, told in zip(("adapted.skops", "broken.skops"), problems, strict=True):
        assert name in told
    with pytest.raises(SerClassicError, match=r"ser-classic fit|predictor"):
        app.predictors_in([models / "broken.skops"], problems.append)


def test_the_predictor_with_the_best_card_is_chosen(fitted, tmp_path):
    for model in ("prior", "ridge"):
        fitted(model, evaluate=True).save(tmp_path / f"{model}.skops")
    good = read_card(tmp_path / "ridge.skops")
    assert cards.worth(good) > cards.worth(read_card(tmp_path / "prior.skops")) == pytest.approx(0)
    assert cards.worth(good | {"evaluation": None}) == 0
    assert cards.worth(good | {"corpora": [{"name": "synthetic"}]}) == 0, "voices of nobody tell nothing"
    (tmp_path / "ridge.skops").rename(tmp_path / "zzz.skops")
    assert next(iter(app.predictors_in([tmp_path], pytest.fail).values())).stem == "zzz"


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]*>", " ", html)))


def table_in(html: str) -> pd.DataFrame:
    """The CSV behind the link that downloads it."""
    return pd.read_csv(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]*)", html)[1])))


def test_the_reply_is_the_predictors(models, short):
    answer, figure = reply(models / "svm_rbf.skops", short, Limits())
    row = load_predictor(models / "svm_rbf.skops").predict(short).iloc[0]
    told = text_of(answer)
    assert f"{row['emotion']} {100 * row['confidence']:.0f} %" in told
    assert figure.startswith("<figure><svg")
    table = table_in(answer)
    assert table["file"].tolist() == ["short.wav"]
    assert table.loc[0, "p_sad"] == pytest.approx(row["p_sad"])


def test_a_model_that_is_fitted_again_answers_at_once(models, short, tmp_path):
    for model in ("svm_rbf", "ridge"):
        shutil.copy(models / f"{model}.skops", tmp_path / "m.skops")
        expected = reply(models / f"{model}.skops", short, Limits())[0]
        assert reply(tmp_path / "m.skops", short, Limits())[0] == expected


def test_a_long_recording_gets_a_timeline_too(models, long):
    answer, _ = reply(models / "svm_rbf.skops", long, Limits())
    windows = load_predictor(models / "svm_rbf.skops").predict(long, window=3, hop=1)
    assert table_in(answer)["emotion"].tolist() == windows["emotion"].tolist()


def test_a_timeline_has_no_more_windows_than_can_be_seen(models, short, tmp_path):
    sound = np.tile(soundfile.read(short)[0], 250)
    soundfile.write(tmp_path / "hour.wav", sound, RATE)
    answer, _ = reply(models / "ridge.skops", tmp_path / "hour.wav", Limits())
    assert 120 < len(table_in(answer)) <= answering.MOST


def test_what_is_unlike_all_it_was_fitted_on_is_told_first(models, tmp_path):
    tone = np.sin(2 * np.pi * 3000 * np.arange(2 * RATE) / RATE)
    soundfile.write(tmp_path / "tone.wav", 0.3 * tone, RATE)
    told = text_of(reply(models / "ridge.skops", tmp_path / "tone.wav", Limits())[0])
    assert told.strip().startswith("Warning: unlike")


def test_an_answer_says_how_far_to_trust_it():
    counts = {"angry": {"angry": 30, "sad": 10}, "sad": {"angry": 5, "sad": 5}}
    evaluation = {"uar": 0.625, "classes": 2, "confusion": counts}
    told = cards.trust({"evaluation": evaluation}, "angry")  # .75 and .5 are recognised
    assert re.findall(r"\d+|angry|sad", told)[-7:] == ["62", "50", "100", "angry", "60", "40", "sad"]
    assert "calm" not in cards.trust({"evaluation": evaluation}, "calm")  # an answer that was never given
    assert not re.search(r"\d", cards.trust({"evaluation": {"reason": "one speaker"}}, "angry"))


def test_a_fitted_card_has_a_confusion_matrix(fitted):
    card = fitted("ridge", evaluate=True).card
    table = pd.DataFrame(card["evaluation"]["confusion"]).T
    assert table.sum(axis=1).to_dict() == card["counts"]
    recalls = [table.loc[word, word] / card["counts"][word] for word in card["classes"]]
    assert np.mean(recalls) == pytest.approx(card["evaluation"]["uar"])


def test_what_cannot_be_used_is_told_without_where_it_lies(models, short, tmp_path, monkeypatch):
    model = models / "svm_rbf.skops"
    broken = tmp_path / "broken.wav"
    broken.write_bytes(short.read_bytes()[:2000])
    with pytest.raises(AudioError, match=r"^broken\.wav: "):
        reply(model, broken, Limits())
    monkeypatch.setattr(answering.audio, "read", lambda *_, **__: pytest.fail("was decoded"))
    with pytest.raises(AudioError, match="1 second"):
        reply(model, short, Limits(seconds=1))
    with pytest.raises(AudioError, match="0 MB"):
        reply(model, short, Limits(megabytes=0))


def test_the_examples_show_an_answer_a_timeline_and_a_warning(tmp_path):
    short, long, noise = app.write_examples(tmp_path)
    assert soundfile.info(short).duration < answering.LONG < soundfile.info(long).duration
    assert load_predictor().predict([short, long, noise])["unlike"].tolist() == [False, False, True]


def test_without_gradio_the_command_that_installs_it_is_named(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with (
        pytest.raises(SerClassicError, match=r"pip install 'ser-classic\[app\]'"),
        app.served([models], lambda _: None),
    ):
        pass


def needed(library: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed")


@pytest.fixture(scope="module")
def address(models):
    needed("gradio")
    with app.served([models / "ridge.skops"], lambda _: None, limits=Limits(megabytes=1)) as page:
        yield page.local_url


@pytest.mark.parametrize(("number", "early"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_ctrl_c_ends_the_page_and_leaves_no_file(models, start, tmp_path, number, early):
    needed("gradio")
    process = start("-m", "ser_classic", "app", models / "ridge.skops", TMPDIR=str(tmp_path))
    if not early:
        assert process.stdout.readline().startswith("http://127.0.0.1:")
    process.until("ser-classic-*")
    process.send_signal(number)
    told = process.communicate(timeout=300)[1]
    assert (process.returncode, told) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_can_serve_is_told_at_once(models):
    needed("gradio")
    with pytest.raises(SerClassicError, match=r"nowhere\.invalid.*--host"):
        app.served([models], lambda _: None, "nowhere.invalid").__enter__()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SerClassicError, match=r"in use.*--port$"):
            app.served([models], lambda _: None, port=port).__enter__()


def test_the_page_is_for_this_computer_alone(address):
    assert urlsplit(address).hostname == "127.0.0.1"
    sockets = Path("/proc/net/tcp")
    if not sockets.exists():
        pytest.skip("this system does not tell who listens where")
    listening = sockets.read_text()
    port = f":{urlsplit(address).port:04X} "
    assert all("0100007F" in line for line in listening.splitlines() if port in line and " 0A " in line)


@pytest.fixture(scope="module")
def chromium(short):
    """A browser whose microphone hears the short recording."""
    needed("playwright")
    if CHROMIUM is None:
        pytest.skip("no chromium to test the page with")
    from playwright.sync_api import sync_playwright

    microphone = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={short}",
    ]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=QUIET + microphone)
        yield browser
        browser.close()


@pytest.fixture
def arrive(chromium, address):
    """Visit the page; nothing may go wrong there, and nobody else may be asked for anything."""
    asked: list[str] = []
    wrong: list[str] = []
    contexts = []

    def visit(width: int = 1280, **options):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 844}, **options))
        contexts[-1].set_default_timeout(300_000)  # [ms], on a machine with other work
        page = contexts[-1].new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(address)
        page.wait_for_selector(".recording")
        first = ".record-button:visible" if width < 500 else ".recording input[type=file]"
        page.wait_for_selector(first, state="attached")
        return page

    yield visit
    for context in contexts:
        context.close()
    outside = [url for url in asked if urlsplit(url).hostname not in (None, "", "127.0.0.1")]
    assert outside == []
    assert wrong == []


def send(page, path, panel: str = "") -> None:
    page.locator(f"#recording{panel} input[type=file]").set_input_files(path)


def told(page, panel: str = "") -> str:
    """The answer, when it is there."""
    shown = page.locator(f"#answer{panel}")
    shown.locator(".facts, .refused").wait_for()
    return shown.inner_text()


def clear(page) -> None:
    """Take the recording away; until that is answered, the page forgets what happens to the next."""
    page.click("button[aria-label=Clear]:visible")
    page.locator(".answer:visible .waiting").wait_for()


def test_a_visitor_uploads_a_recording_and_reads_the_answer(arrive, models, long):
    page = arrive()
    send(page, long)
    expected = load_predictor(models / "ridge.skops").predict(long).iloc[0]
    assert told(page).startswith(f"{expected['emotion']} {100 * expected['confidence']:.0f} %")
    assert page.locator(".picture:visible svg").bounding_box()["width"] > 900
    with page.expect_download() as download:
        page.click(".download:visible")
    assert download.value.suggested_filename == "long.csv"
    assert len(pd.read_csv(download.value.path())) > 3
    clear(page)


def test_on_a_phone_a_visitor_speaks_first(arrive):
    page = arrive(390, is_mobile=True, color_scheme="dark", permissions=["microphone"])
    page.click(".record-button:visible")
    page.wait_for_function("document.querySelector('.recording .duration')?.innerText > '0:01'")
    page.click(".stop-button:visible")
    assert "Hz" in told(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ground, bars = (
        page.evaluate(f"getComputedStyle(document.querySelector('{place}')).backgroundColor")
        for place in ("body", ".answer .bar i")
    )
    dark, light = (np.mean([int(part) for part in re.findall(r"\d+", each)[:3]]) for each in (ground, bars))
    assert dark < 60 < 120 < light


def test_an_example_is_answered_and_plays_without_a_mouse_and_is_read_out(arrive):
    page = arrive()
    press(page, "long")
    assert "every second" in told(page)
    assert "every second" in page.get_by_role("status").filter(has_text="audio").inner_text()
    assert "" not in page.get_by_role("button").evaluate_all(f"found => found.map({NAME})")
    press(page, "Play")
    page.wait_for_function("document.querySelector('.recording time')?.innerText > '0:00'")


NAME = "e => e.ariaLabel || e.innerText.trim()"


def press(page, name: str) -> None:
    """Go to a button from the beginning of the page, and press it, with the keyboard alone."""
    page.get_by_role("button", name=name, exact=True).first.wait_for()
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(f"({NAME})(document.activeElement)") == name:
            page.keyboard.press("Enter")
            return
    pytest.fail(f"no button {name!r} can be reached")


def test_the_reason_of_a_refusal_stays_in_view(arrive, short, tmp_path):
    page = arrive()
    broken = tmp_path / "broken.wav"
    broken.write_bytes(short.read_bytes()[:2000])
    send(page, broken)
    assert "broken.wav: truncated" in told(page)
    clear(page)
    large = tmp_path / "large.wav"
    soundfile.write(large, np.zeros(3 * RATE * 20), RATE)
    send(page, large)
    error = page.locator(".recording .error").first
    assert "1 MB" in error.evaluate("error => getComputedStyle(error, '::after').content")


def test_two_recordings_stand_side_by_side(arrive, short, long):
    page = arrive()
    page.click("button[role=tab]:has-text('side by side')")
    send(page, short, "A")
    send(page, long, "B")
    assert "1.1 s of audio" in told(page, "A")
    assert "every second" in told(page, "B")
    page.locator(".picture:visible svg").nth(1).wait_for()
    names = page.evaluate("[...document.querySelectorAll('.picture [id]')].map(each => each.id)")
    assert len(names) == len(set(names)), "figures share no names"


def test_two_visitors_at_once_get_each_their_own_answer(arrive, short, long):
    one, other = arrive(), arrive()
    send(one, long)
    send(other, short)
    assert ["every second" in told(page) for page in (one, other)] == [True, False]
