"""Fixtures for the tests without a window."""

import shutil

import pytest
from covid_ct_md_sample import build


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep the tests away from what this person's program remembers of datasets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_CHEST_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A small COVID-CT-MD dataset; never written to."""
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture
def root(built, tmp_path):
    """A copy of the small dataset that a test may write to."""
    return shutil.copytree(built, tmp_path / "covid-ct-md")
