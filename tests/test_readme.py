"""What the README shows works as it stands there."""

import re
import shlex

import pytest

import napari_chest
from napari_chest.cli import _parser
from napari_chest.phantom import make_covid_ct_md, make_mosmed


@pytest.fixture
def readme(pytestconfig):
    return (pytestconfig.rootpath / "README.md").read_text(encoding="utf-8")


def blocks(readme, language):
    return re.findall(rf"```{language}\n(.*?)```", readme, flags=re.DOTALL)


def test_the_python_example_runs(readme, tmp_path, capsys):
    root = make_covid_ct_md(tmp_path / "set", shape=(12, 32, 32)).root
    (code,) = blocks(readme, "python")
    exec(code.replace("path/to/COVID-CT-MD", str(root)), {})
    assert capsys.readouterr().out.startswith("updated-1 ('LLL', 'LUL',")


def test_the_script_of_the_guide_corrects_and_proves(pytestconfig, tmp_path, capsys):
    guide = (pytestconfig.rootpath / "docs" / "guide.md").read_text(encoding="utf-8")
    root = make_mosmed(tmp_path / "set", shape=(30, 64, 64)).root
    (code,) = blocks(guide, "python")
    names = {}
    exec(code.replace("path/to/MosMedData", str(root)), names)
    assert capsys.readouterr().out.startswith("Proved: exactly")
    changed = names["mask"].labels != names["draft"].mask_labels(names["mask"].name)
    assert changed[:21].any()
    assert not changed[21:].any()


def test_every_command_shown_exists(readme):
    lines = [line for block in blocks(readme, "sh") for line in block.splitlines()]
    commands = [line.split("#")[0] for line in lines if line.startswith("napari-chest ")]
    assert len(commands) >= 4
    for command in commands:
        words = [word.strip("[]") for word in shlex.split(command)[1:]]
        assert _parser().parse_args(words).run


def test_every_dataset_is_listed(readme):
    for dataset in napari_chest.DATASETS:
        assert f"[{dataset.title}]" in readme


def test_pictures_and_pages_are_there(readme, pytestconfig):
    links = re.findall(r"\]\((docs/[^)]+)\)", readme)
    assert "docs/images/workbench.png" in links
    for link in links:
        assert (pytestconfig.rootpath / link.partition("#")[0]).is_file()
