"""Where paths lead: files, links and folders that may not be looked into."""

import os

import pytest

from napari_chest.files.paths import is_inside, is_there, leads_inside


@pytest.fixture
def folder(tmp_path):
    """A folder with a file, and links to it and out."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file").touch()
    (tmp_path / "outside").touch()
    (inside / "to file").symlink_to("file")
    (inside / "out").symlink_to(tmp_path / "outside")
    (inside / "nowhere").symlink_to("gone")
    (inside / "loop").symlink_to("loop")
    return inside


@pytest.mark.parametrize(
    ("name", "there", "inside", "leads"),
    [
        ("file", True, True, True),
        ("to file", True, True, True),
        ("out", True, False, False),
        ("nowhere", False, False, False),
        ("loop", False, False, False),
        ("gone", False, False, False),
        (".", False, False, True),
    ],
)
def test_files_and_links(folder, name, there, inside, leads):
    path = folder / name
    assert (is_there(path), is_inside(path, folder)) == (there, inside)
    assert leads_inside(path, folder) is leads


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such folders")
def test_what_may_not_be_looked_at_may_be_there(folder, monkeypatch):
    def refused(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refused)
    assert is_there(folder / "file")
    assert is_inside(folder / "file", folder)
