"""All files or none: what is on disk after each way a save can fail."""

import errno
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from napari_chest.errors import ReadError, SaveError
from napari_chest.files import atomic
from napari_chest.files.atomic import digest, read_whole, reason, write_together

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc or POSIX users")


def listing(folder):
    """Every path below with its bytes, or None for a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def old(tmp_path):
    """Two files that stand there already, and their folder."""
    (tmp_path / "a.npy").write_bytes(b"old a")
    (tmp_path / "b.npy").write_bytes(b"old b")
    return tmp_path


@pytest.fixture
def new(old):
    return {old / "a.npy": b"new a", old / "b.npy": b"new b", old / "c.npy": b"new c"}


def fail(number):
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return refuse


def fail_on(patch, method, when, number=errno.EIO):
    """Let calls of a Path method fail where ``when(calls so far, path)`` holds."""
    real, calls = getattr(Path, method), []

    def call(self, *args, **kwargs):
        calls.append(self)
        if when(len(calls), self):
            raise OSError(number, os.strerror(number))
        return real(self, *args, **kwargs)

    patch.setattr(Path, method, call)


# It works


def test_replaces_and_creates(old, new):
    write_together(new)
    assert listing(old) == {"a.npy": b"new a", "b.npy": b"new b", "c.npy": b"new c"}


def test_makes_folders(tmp_path):
    write_together({tmp_path / "x" / "y" / "a": b"1", tmp_path / "x" / "z" / "b": b"2"})
    assert (tmp_path / "x" / "y" / "a").read_bytes() == b"1"
    assert (tmp_path / "x" / "z" / "b").read_bytes() == b"2"


def test_nothing_to_write_touches_nothing(old):
    before = old.stat().st_mtime_ns
    write_together({})
    assert old.stat().st_mtime_ns == before


def test_large_and_empty_contents(tmp_path):
    large = bytes(range(256)) * 20_000
    write_together({tmp_path / "large": large, tmp_path / "empty": b""})
    assert (tmp_path / "large").read_bytes() == large
    assert (tmp_path / "empty").read_bytes() == b""


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o755, 0o444])
def test_mode_is_kept(old, mode):
    (old / "a.npy").chmod(mode)
    write_together({old / "a.npy": b"new"})
    assert (old / "a.npy").stat().st_mode & 0o7777 == mode
    assert (old / "a.npy").read_bytes() == b"new"


def test_new_file_has_the_usual_mode(old):
    (old / "usual").touch()
    write_together({old / "new": b""})
    assert (old / "new").stat().st_mode == (old / "usual").stat().st_mode


def test_a_reader_sees_the_old_or_the_new_file_whole(old):
    """Who has the old file open keeps it: it is exchanged, never written over."""
    with (old / "a.npy").open("rb") as held:
        write_together({old / "a.npy": b"something much longer than before"})
        assert held.read() == b"old a"


def test_other_names_of_the_file_keep_the_old_bytes(old):
    (old / "backup").hardlink_to(old / "a.npy")
    write_together({old / "a.npy": b"new"})
    assert (old / "backup").read_bytes() == b"old a"


@on_linux
def test_every_byte_is_on_disk_before_the_first_swap(old, new, monkeypatch):
    order = []
    real_sync, real_swap = os.fsync, Path.replace

    def sync(handle):
        order.append(f"sync {Path(f'/proc/self/fd/{handle}').resolve().name}")
        real_sync(handle)

    def swap(self, target):
        order.append("swap")
        return real_swap(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", swap)
    write_together(new)
    kinds = [step.partition(" ")[0] for step in order]
    assert kinds == ["sync"] * 3 + ["swap"] * 3 + ["sync"]
    assert order[-1] == f"sync {old.name}"


# Links


def test_link_is_followed_and_stays_a_link(old, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "real").write_bytes(b"old")
    (old / "link").symlink_to(inner / "real")
    write_together({old / "link": b"new"})
    assert (old / "link").is_symlink()
    assert (inner / "real").read_bytes() == b"new"
    assert sorted(path.name for path in inner.iterdir()) == ["real"]


def test_link_out_of_the_folder_is_refused_where_asked(old):
    outside = old / "outside"
    outside.write_bytes(b"mine")
    (old / "in").mkdir()
    (old / "in" / "link").symlink_to(outside)
    (old / "in" / "dangling").symlink_to(old / "not there")
    before = listing(old)
    for name in ("link", "dangling"):
        with pytest.raises(SaveError, match="leads out of"):
            write_together({old / "in" / "x": b"1", old / "in" / name: b"2"}, inside=old / "in")
        assert listing(old) == before
    write_together({old / "in" / "x": b"1"}, inside=old / "in")
    assert (old / "in" / "x").read_bytes() == b"1"


def test_loop_of_links_is_refused(old):
    (old / "loop").symlink_to(old / "loop")
    with pytest.raises(SaveError, match="leads nowhere"):
        write_together({old / "a.npy": b"new", old / "loop": b"2"})
    assert (old / "a.npy").read_bytes() == b"old a"


# It fails


@contextmanager
def file_size_limit(limit):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_system_refuses_the_second_file_for_its_size(old):
    """A real refusal of the system half-way through writing, as with a full disk or a quota."""
    before = listing(old)
    contents = {old / "a.npy": b"new a", old / "b.npy": bytes(100_000), old / "n" / "c": b"c"}
    with file_size_limit(4096), pytest.raises(SaveError) as error:
        write_together(contents)
    assert listing(old) == before
    assert "a.npy, b.npy, c could not be saved" in str(error.value)
    assert str(old) in str(error.value)
    assert "the file would be larger than the system allows" in str(error.value)
    assert "Nothing was changed" in str(error.value)
    write_together(contents)
    assert (old / "b.npy").read_bytes() == bytes(100_000)


@pytest.mark.parametrize("swap", [1, 2, 3])
def test_failing_swap_puts_the_files_before_it_back(old, new, monkeypatch, swap):
    before = listing(old)
    inode = (old / "a.npy").stat().st_ino
    fail_on(monkeypatch, "replace", lambda n, path: n == swap)
    with pytest.raises(SaveError, match="the disk reports an error"):
        write_together(new)
    assert listing(old) == before
    assert (old / "a.npy").stat().st_ino == inode, "it is the very file that stood there"


def test_failing_swap_takes_new_files_away_again(tmp_path, monkeypatch):
    fail_on(monkeypatch, "replace", lambda n, path: n == 2)
    with pytest.raises(SaveError):
        write_together({tmp_path / "out" / "a": b"1", tmp_path / "out" / "b": b"2"})
    assert listing(tmp_path) == {}


def test_folder_in_the_place_of_a_file(old, new):
    (old / "c.npy").mkdir()
    before = listing(old)
    with pytest.raises(SaveError, match=r"c\.npy could not be saved"):
        write_together(new)
    assert listing(old) == before


def test_file_in_the_place_of_a_folder(old):
    before = listing(old)
    with pytest.raises(SaveError):
        write_together({old / "b.npy": b"new", old / "a.npy" / "inner": b"1"})
    assert listing(old) == before


def test_interrupted_swap_is_put_back(old, new, monkeypatch):
    before, real = listing(old), Path.replace

    def interrupt(self, target):
        if target.name == "b.npy" and self.suffix == ".new":
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_together(new)
    assert listing(old) == before


def test_disk_that_also_refuses_to_put_back_keeps_the_old_content(old, new, monkeypatch):
    """The worst case: the message names the file that holds the old content, and it is there."""
    fail_on(monkeypatch, "replace", lambda n, path: n >= 2)
    with pytest.raises(SaveError) as error:
        write_together(new)
    assert "Nothing was changed" not in str(error.value)
    (kept,) = [path for path in old.iterdir() if path.suffix == ".old"]
    assert kept.read_bytes() == b"old a"
    assert str(kept) in str(error.value)
    assert str(old / "a.npy") in str(error.value)
    assert (old / "b.npy").read_bytes() == b"old b"
    assert not [path for path in old.iterdir() if path.suffix == ".new"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_refused_at_the_first_step(old, new, monkeypatch, number):
    before = listing(old)
    fail_on(monkeypatch, "open", lambda n, path: True, number)
    with pytest.raises(SaveError, match=reason(OSError(number, ""))):
        write_together(new)
    monkeypatch.undo()
    assert listing(old) == before


@pytest.mark.parametrize("step", ["fsync", "copymode", "copy2"])
def test_fails_while_preparing(old, new, monkeypatch, step):
    before = listing(old)
    if step == "copy2":  # a disk without hard links, and no room for a copy
        monkeypatch.setattr(Path, "hardlink_to", fail(errno.EPERM))
    module = os if step == "fsync" else atomic.shutil
    monkeypatch.setattr(module, step, fail(errno.ENOSPC))
    with pytest.raises(SaveError, match="the disk is full"):
        write_together(new)
    assert listing(old) == before


def test_disk_without_hard_links(old, new, monkeypatch):
    monkeypatch.setattr(Path, "hardlink_to", fail(errno.EPERM))
    before = listing(old)
    with monkeypatch.context() as patch:
        fail_on(patch, "replace", lambda n, path: n == 2)
        with pytest.raises(SaveError):
            write_together(new)
    assert listing(old) == before
    write_together(new)
    assert listing(old) == {"a.npy": b"new a", "b.npy": b"new b", "c.npy": b"new c"}


@on_linux
def test_disk_that_cannot_sync_folders(old, new, monkeypatch):
    """By then the files are exchanged; some network disks refuse, and the save is good."""
    real = os.fsync

    def sync(handle):
        if Path(f"/proc/self/fd/{handle}").resolve().is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")
        real(handle)

    monkeypatch.setattr(os, "fsync", sync)
    write_together(new)
    assert listing(old) == {"a.npy": b"new a", "b.npy": b"new b", "c.npy": b"new c"}


def test_scraps_that_cannot_be_removed_do_not_hide_the_reason(old, new, monkeypatch):
    fail_on(monkeypatch, "replace", lambda n, path: n == 1, errno.ENOSPC)
    fail_on(monkeypatch, "unlink", lambda n, path: True, errno.EROFS)
    with pytest.raises(SaveError, match="the disk is full"):
        write_together(new)


@on_linux
def test_read_only_folder():
    """Really refused by the system, also where the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "inner"
        folder.mkdir()
        Path(name).chmod(0o755)
        (folder / "a").write_bytes(b"old")
        (folder / "a").chmod(0o644)
        folder.chmod(0o555)
        before = listing(folder)
        root = os.geteuid() == 0
        try:
            if root:
                os.seteuid(65534)
            with pytest.raises(SaveError, match="permission is denied"):
                write_together({folder / "a": b"new", folder / "b": b"new"})
            with pytest.raises(SaveError, match="permission is denied"):
                write_together({folder / "deeper" / "b": b"new"})
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)
        assert listing(folder) == before


def test_killed_process_leaves_every_file_whole(tmp_path):
    """Killed at any moment, each file is the old one or the new one, never a part of either."""
    code = """
import sys
from pathlib import Path
from napari_chest.files.atomic import write_together
folder = Path(sys.argv[1])
print("ready", flush=True)
n = 0
while True:
    n += 1
    write_together({folder / name: bytes([n % 256]) * 300_000 for name in "ab"})
"""
    for name in "ab":
        (tmp_path / name).write_bytes(bytes(300_000))
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=-1) as process:
        assert process.stdout.readline() == b"ready\n"
        try:
            process.wait(0.3)
        except subprocess.TimeoutExpired:
            process.kill()
    for name in "ab":
        content = (tmp_path / name).read_bytes()
        assert len(content) == 300_000
        assert len(set(content)) == 1


# Reading


def test_read_whole(old):
    assert read_whole(old / "a.npy", 5) == b"old a"
    with pytest.raises(ReadError, match="expected at most 4 bytes, found 5"):
        read_whole(old / "a.npy", 4)
    with pytest.raises(ReadError, match="it is no longer there"):
        read_whole(old / "gone", 5)
    with pytest.raises(ReadError, match="expected a file"):
        read_whole(old, 5)


@on_linux
def test_read_whole_does_not_wait_for_a_pipe_or_a_device(old):
    os.mkfifo(old / "pipe")
    (old / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(ReadError, match="expected a file"):
            read_whole(old / name, 100)


def test_reasons_are_sentences_of_a_person():
    assert reason(OSError(errno.ENOSPC, "x")) == "the disk is full"
    assert reason(OSError(errno.ENOTDIR, "Not a directory")) == "Not a directory"
    assert reason(OSError()) == "OSError"


def test_digest_is_sha256():
    assert digest(b"").startswith("e3b0c44298fc1c14")
    assert digest(b"a") != digest(b"b")
