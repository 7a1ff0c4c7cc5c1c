"""The demo that walks through by itself where nobody looks."""

import subprocess
import sys

import nibabel as nib
import numpy as np

from napari_chest.phantom import make_mosmed


def test_the_scripted_demo_corrects_saves_and_proves(dataset_folder, tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    dataset_folder.rename(folder / "covid-ct-md")
    done = subprocess.run(
        [sys.executable, "-m", "napari_chest", "demo", "--scripted", "--out", str(folder)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Proved: exactly" in done.stdout
    export = folder / "covid-ct-md-review" / "export"
    for named in (folder / "screenshot-corrected.png", folder / "screenshot-proof.png", export):
        assert str(named) in done.stdout
        assert named.exists()
    before = np.load(folder / "covid-ct-md" / "Lobe-level-labels-updated-1.npy")
    after = np.load(export / "Lobe-level-labels-updated-1.npy")
    changed = np.argwhere(before != after)
    assert set(changed[:, 0]) == {0}
    assert set(changed[:, 2]) == {0, 1}
    assert not after[0, changed[:, 1], 0].any()
    assert after[0, changed[:, 1], 1].all()


def test_the_scripted_demo_paints_a_mask_and_proves(tmp_path):
    folder = tmp_path / "demo"
    make_mosmed(folder / "mosmed", shape=(24, 64, 64))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "napari_chest",
            "demo",
            "mosmed",
            "--scripted",
            "--out",
            str(folder),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Proved: exactly 1 change on disk" in done.stdout
    export = folder / "mosmed-review" / "export" / "masks"
    changed = []
    for path in sorted((folder / "mosmed" / "masks").iterdir()):
        before, after = (nib.load(p) for p in (path, export / path.name))
        assert before.header == after.header
        if (np.asarray(before.dataobj) != np.asarray(after.dataobj)).any():
            changed.append(path.name)
    assert len(changed) == 1
