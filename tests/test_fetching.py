"""Fetching, against a server on loopback: whole, checked and safely unpacked, or not at all."""

import io
import shutil
import stat
import tarfile
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_corpus import FILES, install, tiny, write_release, write_wav

from ser_classic.corpora import CorpusError, load
from ser_classic.corpora.archives import unpack
from ser_classic.corpora.fetching import Fetched, fetch
from ser_classic.corpora.verifying import verify
from ser_classic.errors import SerClassicError


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; what lies under /cut/ breaks off halfway."""

    requested: list[str]

    def do_GET(self) -> None:
        self.requested.append(self.path)
        if not self.path.startswith("/cut/"):
            super().do_GET()
            return
        content = (Path(self.directory) / self.path.removeprefix("/cut/")).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Address of a server of the folder `served`; its `requested` lists the paths asked for."""
    monkeypatch.setenv("NO_PROXY", "*")
    (tmp_path / "served").mkdir()
    handler = type("Bound", (Handler,), {"requested": []})
    running = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=tmp_path / "served"))
    running.requested = handler.requested
    running.address = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def served(tmp_path, server):
    """The release unpacked and as an archive, on the server; returns the list of its files."""
    checksums = write_release(tmp_path / "served" / "release")
    pack(tmp_path / "served" / "release.zip", tmp_path / "served" / "release")
    return checksums


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def pack(archive: Path, folder: Path, below: str = "Audio_Speech/") -> Path:
    with zipfile.ZipFile(archive, "w") as opened:
        for file in sorted(folder.rglob("*.*")):
            opened.write(file, below + file.relative_to(folder).as_posix())
    return archive


@pytest.fixture
def offered(monkeypatch, server, served):
    """The corpus, which the server offers as an archive; or otherwise, once this is called."""

    def offer(**changes: object) -> None:
        facts = {"archive": f"{server.address}/release.zip?download=1"}
        install(monkeypatch, tiny(served, **(facts | changes)))

    offer()
    return offer


def whole(data: Path) -> bool:
    return verify(*load("ravdess", data)).compared["identical"] == len(FILES)


def nothing_in(data: Path) -> bool:
    return not any(path.is_file() for path in data.rglob("*"))


def test_archive_is_downloaded_unpacked_and_checked(offered, server, data):
    assert fetch("ravdess", data) == Fetched(data / "ravdess", added=8, kept=0)
    assert whole(data)
    assert sorted(path.relative_to(data).as_posix() for path in data.rglob("*.*")) == sorted(
        f"ravdess/{file}" for file in FILES
    )  # neither the archive nor a draft stays
    assert fetch("ravdess", data) == Fetched(data / "ravdess", added=0, kept=8)
    assert server.requested == ["/release.zip?download=1"]


def test_only_missing_and_corrupt_files_are_replaced(offered, data):
    fetch("ravdess", data)
    (data / "ravdess" / FILES[0]).unlink()
    write_wav(data / "ravdess" / FILES[1], seed=99)
    shutil.move(data / "ravdess" / FILES[1], data / "ravdess" / Path(FILES[1]).name)
    kept = (data / "ravdess" / FILES[2]).stat().st_mtime_ns
    assert fetch("ravdess", data) == Fetched(data / "ravdess", added=2, kept=6)
    assert whole(data)
    assert (data / "ravdess" / FILES[2]).stat().st_mtime_ns == kept
    assert not (data / "ravdess" / Path(FILES[1]).name).exists()


def test_wrong_checksum_of_a_file_inside(tmp_path, offered, data):
    write_wav(tmp_path / "served" / "release" / FILES[3], seed=99)
    pack(tmp_path / "served" / "release.zip", tmp_path / "served" / "release")
    with pytest.raises(CorpusError, match=rf"1 of 8 .*{FILES[3]}"):
        fetch("ravdess", data)
    assert nothing_in(data)


def test_interrupted_download_is_never_taken_for_whole(offered, server, data):
    offered(archive=f"{server.address}/cut/release.zip")
    with pytest.raises(CorpusError, match=r"release\.zip .*IncompleteRead.* --from"):
        fetch("ravdess", data)
    assert nothing_in(data)
    offered()
    fetch("ravdess", data)
    assert whole(data)


def test_an_archive_that_cannot_be_had_is_told_with_address_and_reason(offered, server, data):
    base, closed = f"{server.address}/other", "http://127.0.0.1:9"
    for address, reason in ((base, "404"), (closed, "ConnectionError")):
        with pytest.raises(CorpusError, match=rf"{address}/release.zip .*{reason}"):
            fetch("ravdess", data, address)


def test_single_files_go_on_where_they_ended(tmp_path, offered, server, data):
    offered(archive="", files_url=f"{server.address}/release/")
    gone = tmp_path / "served" / "release" / FILES[-1]
    content = gone.read_bytes()
    gone.write_bytes(b"not what the list says")
    with pytest.raises(CorpusError, match=FILES[-1]):
        fetch("ravdess", data)
    assert not (data / "ravdess" / FILES[-1]).exists()
    arrived = len(list(data.rglob("*.wav")))
    gone.write_bytes(content)
    server.requested.clear()
    assert fetch("ravdess", data) == Fetched(data / "ravdess", added=8 - arrived, kept=arrived)
    assert len(server.requested) == 8 - arrived
    assert whole(data)


def test_half_a_single_file_is_never_taken_for_whole(offered, server, data):
    offered(archive="", files_url=f"{server.address}/cut/release/")
    with pytest.raises(CorpusError, match="Actor_"):
        fetch("ravdess", data)
    assert nothing_in(data)


@pytest.mark.parametrize(
    ("archive", "source"),
    [
        ("http://127.0.0.1:9/release.zip", "{server}/release.zip"),  # which is unreachable
        ("http://127.0.0.1:9/release.zip", "{server}/"),
        ("http://127.0.0.1:9/release.zip", "{folder}/release.zip"),
        ("http://127.0.0.1:9/release.zip", "{folder}/release"),
        ("", "{server}/release"),  # file by file
    ],
)
def test_other_sources(tmp_path, offered, server, data, archive, source):
    offered(archive=archive)
    source = source.format(server=server.address, folder=tmp_path / "served")
    assert fetch("ravdess", data, source).added == 8
    assert whole(data)
    assert (tmp_path / "served" / "release" / FILES[0]).is_file()  # copied, not moved


def test_corpus_known_by_its_scan_alone_keeps_the_archive_s_paths(monkeypatch, server, served, data):
    """A plug-in need not list its files; what no pattern of ours matches is placed as it is packed."""
    archive = f"{server.address}/release.zip"
    install(monkeypatch, replace(tiny(served), archive=archive, pattern="", checksums=None))
    assert fetch("ravdess", data).added == 8
    assert (data / "ravdess" / "Audio_Speech" / FILES[0]).is_file()
    assert fetch("ravdess", data) == Fetched(data / "ravdess", added=0, kept=8)


def test_a_corpus_to_register_for(offered, served, data, ser):
    offered(archive="", obtain="register at their desk")
    fetching = ("corpora", "fetch", "ravdess", "--data", data)
    ser(*fetching).refused("egister at their desk", "data/ravdess")
    assert not data.exists()
    assert "8 files" in ser(*fetching, "--from", "served/release.zip").said()


def test_incomplete_source_is_taken_and_told(tmp_path, offered, served, data, ser):
    shutil.rmtree(tmp_path / "served" / "release" / "Actor_02")
    told = ser("corpora", "fetch", "ravdess", "--data", data, "--from", "served/release")
    assert "4 of 8 clips" in told.said(code=1) + told.stderr


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.zip", "nowhere.zip"),
        ("", "--from"),
        ("{folder}/notes.txt", "notes.txt.*ZIP"),
        ("{folder}/empty", "empty"),  # of clips
    ],
)
def test_useless_sources(tmp_path, offered, data, source, message):
    (tmp_path / "notes.txt").write_text("no archive")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=message):
        fetch("ravdess", data, source.format(folder=tmp_path))


def test_cut_archive_at_hand(tmp_path, offered, data):
    archive = tmp_path / "served" / "release.zip"
    content = archive.read_bytes()
    for length in (len(content) // 2, len(content) - 10):
        archive.write_bytes(content[:length])
        with pytest.raises(CorpusError, match=r"release\.zip"):
            fetch("ravdess", data, str(archive))
    assert nothing_in(data)


def zipped(path: Path, *members: tuple[str, bytes, int]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return path


GOOD = (FILES[0], b"RIFF", stat.S_IFREG | 0o644)


@pytest.mark.parametrize(
    "name",
    [
        "../{}",
        "a/../../{}",
        "/{}",
        "/etc/{}",
        "..\\{}",
        "C:\\{}",
        "C:{}",
        "\\\\host\\share\\{}",
        "a/..",
        "{}/../../x",
    ],
)
def test_hostile_zip_is_refused_whole(tmp_path, offered, data, name):
    archive = zipped(
        tmp_path / "h.zip", GOOD, (name.format(Path(FILES[1]).name), b"evil", stat.S_IFREG | 0o644)
    )
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(CorpusError, match=r"h\.zip.*folder"):
        fetch("ravdess", data, str(archive))
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_links_in_a_zip_are_refused(tmp_path, offered, data):
    archive = zipped(tmp_path / "h.zip", ("Actor_01", b"/etc", stat.S_IFLNK | 0o777), GOOD)
    with pytest.raises(CorpusError, match=r"'Actor_01' .*link"):
        fetch("ravdess", data, str(archive))
    assert nothing_in(data)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_in_a_tar_are_refused(tmp_path, offered, data, kind):
    with tarfile.open(tmp_path / "h.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo(FILES[0])
        link.type, link.linkname = kind, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(CorpusError, match="link"):
        fetch("ravdess", data, str(tmp_path / "h.tar.gz"))


def test_tar_is_unpacked_too(tmp_path, offered, server, data):
    with tarfile.open(tmp_path / "served" / "release.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "served" / "release", "release")
    assert fetch("ravdess", data, f"{server.address}/release.tar.gz").added == 8
    assert whole(data)


def test_swelling_archive_is_refused(tmp_path, offered, data):
    archive = zipped(tmp_path / "h.zip", *((file, bytes(2**20), stat.S_IFREG) for file in FILES))
    assert archive.stat().st_size < 2**16
    with pytest.raises(CorpusError, match=r"8 MB"):
        fetch("ravdess", data, str(archive))
    assert nothing_in(data)


def test_archive_that_lies_about_a_size(tmp_path):
    """The directory says 10 bytes, the stream has more: no more than that is ever written."""
    archive = zipped(tmp_path / "h.zip", ("a.wav", bytes(5000), stat.S_IFREG))
    content = archive.read_bytes()
    archive.write_bytes(content.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(SerClassicError, match=r"h\.zip"):
        unpack(archive, tmp_path / "out", lambda file: file, 2**20)
    assert not any(path.stat().st_size > 10 for path in tmp_path.glob("out/*"))


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
@pytest.mark.parametrize("place", [0.5, -6], ids=["in the middle", "in the checksum at the end"])
def test_a_damaged_archive_is_named_and_nothing_of_it_unpacked(tmp_path, kind, place):
    """Without a list of files, too, whose checksums would tell the damage."""
    archive = tmp_path / f"release.tar.{kind}"
    write_release(tmp_path / "release")
    with tarfile.open(archive, f"w:{kind}") as opened:
        opened.add(tmp_path / "release", "release")
    content = bytearray(archive.read_bytes())
    content[place if place < 0 else int(place * len(content))] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(SerClassicError, match=rf"release\.tar\.{kind}"):
        unpack(archive, tmp_path / "out", lambda file: file, 2**20)
    assert not (tmp_path / "out").exists()


def test_encrypted_archive_says_to_unpack_it_by_hand(tmp_path):
    archive = zipped(tmp_path / "h.zip", ("a.wav", b"abc", stat.S_IFREG))
    content = bytearray(archive.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + flags] |= 1
    archive.write_bytes(content)
    with pytest.raises(SerClassicError, match=r"h\.zip.*encrypted.*by hand"):
        unpack(archive, tmp_path / "out", lambda file: file, 2**20)


@given(name=st.text(st.sampled_from("ab./\\: "), min_size=1, max_size=12))
def test_no_member_name_leaves_the_folder(tmp_path_factory, name):
    """Whatever a member is called: it is refused, or lies below the folder."""
    folder = tmp_path_factory.mktemp("any")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, b"x")
    (folder / "h.zip").write_bytes(stream.getvalue())

    def target(file: PurePosixPath) -> PurePosixPath:
        assert ".." not in file.parts
        assert not file.is_absolute()
        return PurePosixPath("x") / file.name

    fault = ""
    try:
        unpack(folder / "h.zip", folder / "out", target, 2**20)
    except CorpusError as error:
        fault = str(error)
    assert not fault or "refused" in fault
    assert {path.name for path in folder.iterdir()} <= {"h.zip", "out"}


def test_label_files_come_with_the_recordings(tmp_path):
    source, data = tmp_path / "source", tmp_path / "data"
    for number in (1, 2):
        write_wav(source / "audio" / f"162323456789{number}.wav", number)
    rows = "file_name,actor,emotion_expressed\n1623234567891.wav,1,joy\n1623234567892.wav,2,anger\n"
    (source / "samples.csv").write_text(rows)
    (source / "readme.txt").write_text("no label file")
    with zipfile.ZipFile(tmp_path / "release.zip", "w") as archive:
        for path in source.rglob("*.*"):
            archive.write(path, f"release/{path.relative_to(source)}")
    for place, offer in ((data, source), (tmp_path / "other", tmp_path / "release.zip")):
        fetch("emozionalmente", place, str(offer))
        assert load("emozionalmente", place).clips["emotion"].tolist() == ["happy", "angry"]
        assert not list(place.rglob("readme.txt"))
