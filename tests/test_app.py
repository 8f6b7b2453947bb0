"""The page: what it answers and refuses, and that a real browser can use it, offline."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile

from ser_classic.audio import AudioError
from ser_classic.corpora import Reading
from ser_classic.corpora.synthetic import synthesise
from ser_classic.errors import SerClassicError
from ser_classic.extras.app import page as app
from ser_classic.predictor import load_predictor
from ser_classic.predictor.fitting import fit

RATE = 16_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    f"--{flag}"
    for flag in (
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
    )
]


@pytest.fixture(scope="module")
def models(own_folder, cache, tmp_path_factory) -> Path:
    """A folder with two predictors, one that the page cannot offer, and one that is broken."""
    folder = tmp_path_factory.mktemp("models")
    options = {"cache": cache, "evaluate": False, "reading": Reading(speaker=r"/(s\d\d)_")}
    for model in ("svm_rbf", "lda"):
        fit(str(own_folder), "mfcc13", model, **options).save(folder / f"{model}.skops")
    fit(str(own_folder), "mfcc13", "lda", adapted=True, **options).save(folder / "adapted.skops")
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
    second = shutil.copy(models / "lda.skops", tmp_path / "second.skops")
    offered = app.predictors_in([models, models / "lda.skops", Path(second)], problems.append)
    assert list(offered) == ["tiny, mfcc13, lda", "tiny, mfcc13, svm_rbf", "tiny, mfcc13, lda (second)"]
    assert len(problems) == 2
    assert "needs several recordings of one speaker" in problems[0]
    assert "broken.skops" in problems[1]
    with pytest.raises(app.AppError, match="there is no predictor to offer"):
        app.predictors_in([models / "broken.skops"], problems.append)


def test_the_reply_is_the_predictors(models, short):
    given = app.reply(models / "svm_rbf.skops", short, app.Limits())
    row = load_predictor(models / "svm_rbf.skops").predict(short).iloc[0]
    assert given.label == {word: row[f"p_{word}"] for word in ("angry", "neutral", "sad")}
    assert given.told.startswith(f"**{row['emotion']}**, with a probability of")
    assert "Below" not in given.told
    assert given.picture.width > 1000


def test_a_long_recording_gets_a_timeline_too(models, long):
    given = app.reply(models / "svm_rbf.skops", long, app.Limits())
    assert "the same for every 3 seconds" in given.told


def test_what_cannot_be_used_is_told_without_where_it_lies(models, short, tmp_path):
    model = models / "svm_rbf.skops"
    with pytest.raises(AudioError, match="there is no recording yet"):
        app.reply(model, None, app.Limits())
    with pytest.raises(AudioError, match="longer than 1 s; send a part"):
        app.reply(model, short, app.Limits(seconds=1))
    with pytest.raises(AudioError, match="larger than 0 MB"):
        app.reply(model, short, app.Limits(megabytes=0))
    broken = tmp_path / "broken.wav"
    broken.write_bytes(short.read_bytes()[:2000])
    with pytest.raises(AudioError, match=r"^broken\.wav: truncated"):
        app.reply(model, broken, app.Limits())


def test_the_examples_are_voices_and_one_is_long(tmp_path):
    examples = app.write_examples(tmp_path)
    lengths = [soundfile.info(path).duration for path in examples]
    assert min(lengths) < app.LONG < max(lengths)


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
    with app.served([models], lambda _: None) as page:
        yield page.local_url


@pytest.mark.parametrize(
    ("number", "early"), [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGINT, True)]
)
def test_ctrl_c_ends_the_page_and_leaves_no_file(models, tmp_path, number, early):
    needed("gradio")
    process = subprocess.Popen(
        [sys.executable, "-m", "ser_classic", "app", str(models / "lda.skops")],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    if not early:
        assert process.stdout.readline().startswith("http://127.0.0.1:")
    while not list(tmp_path.glob("ser-classic-*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    told = process.communicate(timeout=60)[1]
    assert (process.returncode, told) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_can_serve_is_told_at_once(models):
    needed("gradio")
    with pytest.raises(app.AppError, match=r"'nowhere\.invalid': no address of this computer"):
        app.served([models], lambda _: None, "nowhere.invalid").__enter__()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(app.AppError, match=rf"range: {port}-{port}\); choose another port with --port$"):
            app.served([models], lambda _: None, port=port).__enter__()


def test_the_page_is_for_this_computer_alone(address):
    assert urlsplit(address).hostname == "127.0.0.1"
    sockets = Path("/proc/net/tcp")
    if not sockets.exists():
        pytest.skip("this system does not tell who listens where")
    listening = sockets.read_text()
    port = f":{urlsplit(address).port:04X} "
    assert all("0100007F" in line for line in listening.splitlines() if port in line and " 0A " in line)


@pytest.fixture
def browser(tmp_path):
    needed("playwright")
    if CHROMIUM is None:
        pytest.skip("no chromium to test the page with")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        context = play.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, headless=True, args=QUIET
        )
        yield context
        context.close()


def test_a_visitor_uploads_a_recording_and_reads_the_answer(address, browser, models, long):
    asked: list[str] = []
    wrong: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.wait_for_selector("#recognise")
    page.set_input_files("input[type=file]", long)
    page.wait_for_selector("audio, .waveform-container, #waveform", state="attached")
    page.wait_for_timeout(1000)
    page.click("#recognise")
    page.wait_for_function("document.querySelector('#told')?.innerText.includes('of audio')", timeout=60_000)
    expected = load_predictor(models / "lda.skops").predict(long).iloc[0]
    assert page.inner_text("#told").startswith(f"{expected['emotion']}, with a probability of")
    assert expected["emotion"] in page.inner_text("#emotion")
    page.wait_for_selector("#picture img")
    assert page.evaluate("document.querySelector('#picture img').naturalWidth") > 1000

    page.reload()
    page.wait_for_selector("#recognise")
    page.click("#recognise")
    page.wait_for_function("document.body.innerText.includes('there is no recording yet')", timeout=30_000)
    outside = [url for url in asked if urlsplit(url).hostname not in (None, "127.0.0.1")]
    assert outside == [], "the page asks nobody else for anything"
    assert wrong == []
