"""The synthetic BIMCV COVID-19: its files must have what the published ones were seen to have."""

import ast
import csv
import hashlib
import io
import json
import os
import re
from xml.etree import ElementTree as ET

import imagecodecs
import nibabel
import numpy as np
import pytest
from skimage.draw import polygon2mask

from napari_chest.errors import SaveError
from napari_chest.phantom import make_bimcv, make_chest
from napari_chest.phantom.radiograph import expose, volume_shape

SIZE = (64, 66)
AIM = "{gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM}"
PA, LATERAL = (
    f"sub-S00001_ses-E00001_run-1_bp-chest_vp-{view}_cr.png" for view in ("pa", "lateral")
)
EARLY, LATE = (f"sub-S00002_ses-E0000{n}_run-1_bp-chest_vp-ap_dx.png" for n in (2, 3))
OLD = "sub-S00003_ses-E00004_run-1_bp-chest_vp-ap_cr.png"
BARE = "sub-S00004_ses-E00005_run-1_bp-chest_vp-pa_cr.png"
AXIAL, CORONAL, SCOUT, PAGE = (
    f"sub-S00004_ses-E00006_run-{n}_bp-chest_ct.nii.gz" for n in (1, 2, 3, 4)
)
BROKEN = "sub-S00005_ses-E00007_run-1_bp-chest_vp-pa_cr.png"
FIRST, SECOND, EMPTY = (
    f"sub-S00006_ses-E00008_acq-{n}_run-1_bp-chest_vp-pa_dx.png" for n in (1, 2, 3)
)
RADIOGRAPHS = (PA, LATERAL, EARLY, LATE, OLD, BARE, BROKEN, FIRST, SECOND)
OUTLINED = (PA, EARLY, LATE, OLD)


@pytest.fixture(scope="module")
def progress():
    return []


@pytest.fixture(scope="module")
def phantom(tmp_path_factory, progress):
    root = tmp_path_factory.mktemp("bimcv") / "BIMCV"
    return make_bimcv(root, SIZE, progress=lambda *done: progress.append(done))


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """Roots of the small dataset by release."""
    folder = tmp_path_factory.mktemp("releases")
    names = ("iteration-1", "1+2", "negative")
    return {name: make_bimcv(folder / name, (32, 35), release=name).root for name in names}


def files(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def rows(path):
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")), delimiter="\t"))


def values(truth):
    """First values by tag of a DICOM JSON Model."""
    model = json.loads(truth.sidecar.read_bytes())
    return {tag: element.get("Value", [None])[0] for tag, element in model.items()}


def annotations(truth):
    """Names and closed polygons (n, 2) x, y of the ROIs in a file."""
    found = []
    for annotation in ET.parse(truth.roi).iter(f"{AIM}ImageAnnotation"):
        polygons = [
            np.array(
                [
                    [float(point.find(f"{AIM}{axis}").get("value")) for axis in "xy"]
                    for point in markup.iter(f"{AIM}TwoDimensionSpatialCoordinate")
                ]
            )
            for markup in annotation.iter(f"{AIM}MarkupEntity")
        ]
        found.append((annotation.find(f"{AIM}name").get("value"), polygons))
    return found


def filled(polygons, shape):
    """Pixels whose middle, at +0.5 in AIM's coordinates, lies in a polygon."""
    mask = np.zeros(shape, bool)
    for polygon in polygons:
        mask |= polygon2mask(shape, polygon[:, ::-1] - 0.5)
    return mask


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_images_and_their_sidecars(phantom):
    found = {path.rsplit("/", 1)[1]: path for path in files(phantom.root) if "/mod-rx/" in path}
    images = {name for name in found if not name.endswith(".json")}
    assert images == {*RADIOGRAPHS, EMPTY, AXIAL, CORONAL, SCOUT, PAGE}
    assert {truth.path.name for truth in phantom.images} == {*RADIOGRAPHS, AXIAL, CORONAL}
    for name in images:
        assert found[name] == "/".join(["covid19_posi", *name.split("_")[:2], "mod-rx", name])
        stem = name.removesuffix(".png").removesuffix(".nii.gz")
        assert (f"{stem}.json" in found) == (name not in {BARE, SECOND, EMPTY, PAGE})
    for truth in phantom.images:
        assert (truth.sidecar is not None) == (truth.path.name not in {BARE, SECOND})
        assert truth.sidecar is None or truth.sidecar.is_file()


def test_names_have_the_published_grammar(phantom):
    grammar = (
        r"sub-S\d{5}_ses-E\d{5}(_acq-\d+)?_run-\d+_bp-chest"
        r"(_vp-(pa|ap|ll|lateral))?_(cr|dx|ct)\.(png|nii\.gz)"
    )
    for truth in phantom.images:
        assert re.fullmatch(grammar, truth.path.name)


def test_progress_is_told_after_each_image(phantom, progress):
    assert progress == [(done, 10) for done in range(1, 11)]


@pytest.mark.parametrize("name", RADIOGRAPHS)
def test_pngs_decode_to_the_truth(phantom, name):
    truth = phantom.image(name)
    content = truth.path.read_bytes()
    assert content[24:26] == bytes([8 if name == OLD else 16, 0])  # depth, grey
    decoded = imagecodecs.png_decode(content)
    assert decoded.shape == SIZE
    assert decoded.dtype == truth.pixels.dtype == (np.uint8 if name == OLD else np.uint16)
    assert np.array_equal(decoded, truth.pixels)
    bits = {OLD: 8, FIRST: 14, SECOND: 14}.get(name, 12)
    assert 2 ** (bits - 1) < decoded.max() < 2**bits


@pytest.mark.parametrize("name", RADIOGRAPHS)
def test_air_beside_the_patient_is_black_once_inverted(phantom, name):
    truth = phantom.image(name)
    air, top = truth.pixels[-8:, :2].mean(), truth.pixels.max()
    assert truth.inverted == (name in {EARLY, LATE})
    assert (air > 0.7 * top) == truth.inverted
    assert (air < 0.3 * top) != truth.inverted


def test_sidecars_are_one_line_of_sorted_dicom_json(phantom):
    for name in (PA, LATERAL, EARLY, LATE, FIRST, AXIAL, CORONAL):
        text = phantom.image(name).sidecar.read_text(encoding="utf-8")
        model = json.loads(text)
        assert text == json.dumps(model, sort_keys=True)
        assert all(re.fullmatch("[0-9A-F]{8}", tag) for tag in model)
        assert model["0008103E"] == {"vr": "LO"}
        assert set(model["00100010"]["Value"][0]) == {"Alphabetic"}
        assert re.fullmatch(r"\d{3}Y", model["00101010"]["Value"][0])


@pytest.mark.parametrize("name", [PA, LATERAL, EARLY, LATE, FIRST])
def test_sidecars_describe_their_image(phantom, name):
    truth = phantom.image(name)
    found = values(truth)
    assert (found["00280010"], found["00280011"]) == SIZE
    assert found["00080060"] == truth.modality
    assert found["00280004"] == ("MONOCHROME1" if truth.inverted else "MONOCHROME2")
    assert found["20500020"] == ("INVERSE" if truth.inverted else "IDENTITY")
    assert 2 ** found["00280101"] > truth.pixels.max()
    # Magnified at the detector, where Pixel Spacing is that of the patient.
    assert found["00181164"] == pytest.approx(1.1 * 320 / SIZE[0], abs=1e-4)
    assert ("00280030" in found) == (name in {PA, FIRST})
    assert ("00281050" in found) == (name != FIRST)


def test_the_older_sidecar_holds_the_same_as_text(phantom):
    result = json.loads(phantom.image(OLD).sidecar.read_bytes())["ResultSet"]["Result"]
    by_tag = {row["tag1"]: row for row in result}
    assert by_tag["(0008,0008)"]["value"] == "ORIGINAL\\PRIMARY"
    assert by_tag["(0028,0101)"] == {
        "tag1": "(0028,0101)",
        "tag2": "",
        "vr": "US",
        "value": "8",
        "desc": "Bits Stored",
    }


def test_the_broken_sidecar_is_no_json(phantom):
    with pytest.raises(json.JSONDecodeError):
        json.loads(phantom.image(BROKEN).sidecar.read_bytes())


@pytest.mark.parametrize(
    ("name", "axes", "codes"), [(AXIAL, "kji", "LAS"), (CORONAL, "jki", "LSP")]
)
def test_cts_lie_where_their_affine_says(phantom, name, axes, codes):
    truth = phantom.image(name)
    image = nibabel.load(truth.path)
    assert "".join(nibabel.aff2axcodes(image.affine)) == codes
    assert np.allclose(image.header.get_qform(), image.affine, atol=1e-3)
    # Canonical voxels run to the right, the front and the head: against all three of ours.
    canonical = np.asanyarray(nibabel.as_closest_canonical(image).dataobj)[::-1, ::-1, ::-1]
    display = canonical.transpose(["ijk".index(axis) for axis in axes])
    assert np.array_equal(display, truth.pixels)
    assert (values(truth)["00280010"], values(truth)["00280011"]) == image.shape[1::-1]


def test_axial_and_coronal_ct_agree_in_the_patient(phantom):
    axial, coronal = (nibabel.load(phantom.image(name).path) for name in (AXIAL, CORONAL))
    index = np.array([9, 5, 3, 1])
    place = coronal.affine @ index
    at = np.rint(np.linalg.solve(axial.affine, place))[:3].astype(int)
    assert np.allclose(axial.affine @ [*at, 1], place, atol=1e-3)
    assert (
        np.asanyarray(axial.dataobj)[tuple(at)] == np.asanyarray(coronal.dataobj)[tuple(index[:3])]
    )


def test_findings_of_the_ct_have_their_hounsfield_units(phantom):
    truth = phantom.image(AXIAL)
    assert truth.pixels[truth.findings["Ground glass"]].mean() > -750
    assert truth.findings["Ground glass"].shape == truth.pixels.shape


def test_the_scout_is_one_slice_and_the_page_is_in_colour(phantom):
    folder = phantom.image(AXIAL).path.parent
    scout, page = (nibabel.load(folder / name) for name in (SCOUT, PAGE))
    assert scout.shape[2] == 1
    assert json.loads((folder / SCOUT.replace("nii.gz", "json")).read_bytes())["00080008"][
        "Value"
    ] == ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    assert page.get_data_dtype().names == ("R", "G", "B")


@pytest.mark.skipif(os.name == "nt", reason="backslashes part folders there")
@pytest.mark.parametrize("name", OUTLINED)
def test_roi_files_have_backslashes_in_their_names(phantom, name):
    truth = phantom.image(name)
    stem = re.sub(r"_(cr|dx)\.png$", r"_mod-\1_roi.xml", name)
    assert truth.roi.parent == phantom.root / "covid19_posi" / "derivatives" / "roi" / truth.subject
    assert truth.roi.name.split("\\") == [
        "derivatives", "roi", truth.subject, truth.session, "mod-rx", stem
    ]  # fmt: skip


def test_only_some_images_are_outlined(phantom):
    assert {truth.path.name for truth in phantom.images if truth.roi} == set(OUTLINED)


@pytest.mark.parametrize("name", OUTLINED)
def test_roi_files_have_the_letters_of_their_writer(phantom, name):
    text = phantom.image(name).roi.read_text(encoding="utf-8")
    lines = text.split("\n")
    assert lines[0] == '<?xml version="1.0" encoding="UTF-8"?>'
    assert lines[1].startswith('<ImageAnnotationCollection xmlns="gme://caCORE.caCORE/4.4/')
    assert 'aimVersion="AIMv4_0" xsi:schemaLocation="' in lines[1]
    assert lines[-1] == "</ImageAnnotationCollection>"
    for line in lines[1:]:
        assert (len(line) - len(line.lstrip(" "))) % 4 == 0
        assert re.fullmatch(r" *</?[A-Za-z]+( [A-Za-z:]+=\"[^\"<]*\")*/?>", line)
    assert "        <roleInTrial/>" in lines
    assert " />" not in text
    assert 'value="ROI &lt;' in text


@pytest.mark.parametrize("name", [PA, EARLY, LATE])
def test_rois_reference_the_image_of_the_sidecar(phantom, name):
    truth = phantom.image(name)
    found, tree = values(truth), ET.parse(truth.roi).getroot()
    uids = {element.get("root") for element in tree.iter(f"{AIM}imageReferenceUid")}
    assert uids == {found["00080018"]}
    (series,) = {
        element.find(f"{AIM}instanceUid").get("root") for element in tree.iter(f"{AIM}imageSeries")
    }
    assert series == found["0020000E"]
    listed = {element.get("root") for element in tree.iter(f"{AIM}sopInstanceUid")}
    assert listed == uids


def test_polygons_are_closed_and_numbered(phantom):
    tree = ET.parse(phantom.image(PA).roi).getroot()
    shapes = [element.get("value") for element in tree.iter(f"{AIM}shapeIdentifier")]
    assert len(shapes) > 2
    assert shapes == [str(n) for n in range(len(shapes))]
    for markup in tree.iter(f"{AIM}MarkupEntity"):
        points = list(markup.iter(f"{AIM}TwoDimensionSpatialCoordinate"))
        indices = [int(point.find(f"{AIM}coordinateIndex").get("value")) for point in points]
        assert indices == [*range(len(points) - 1), 0]
        first, last = (
            [point.find(f"{AIM}{axis}").get("value") for axis in "xy"]
            for point in (points[0], points[-1])
        )
        assert first == last


@pytest.mark.parametrize(
    ("name", "names"),
    [
        (PA, {"Ground glass": "Ground glass", "Consolidation": "Consolidation"}),
        (EARLY, {"Consolidación": "Consolidation"}),
        (OLD, {"1": "Ground glass"}),
    ],
)
def test_outlines_follow_the_findings(phantom, name, names):
    truth = phantom.image(name)
    rois = dict(annotations(truth))
    assert set(rois) == set(names)
    for word, finding in names.items():
        drawn = filled(rois[word], SIZE)
        assert dice(drawn, truth.findings[finding]) > 0.75
        shifted = np.roll(drawn, (4, 4), (0, 1))
        assert dice(shifted, truth.findings[finding]) < dice(drawn, truth.findings[finding])


def test_two_outlines_on_one_image_overlap(phantom):
    glass, solid = (filled(polygons, SIZE) for _, polygons in annotations(phantom.image(PA)))
    assert (glass & solid).any()
    assert (glass & ~solid).any()
    assert (solid & ~glass).any()


def test_one_outline_lies_over_the_wrong_lung(phantom):
    mistake = next(found for found in phantom.mistakes if found.kind == "wrong lung")
    truth = phantom.image(LATE)
    assert (mistake.session, mistake.finding) == ("ses-E00003", "Consolidation")
    assert (phantom.root / mistake.path) == truth.roi
    ((_, polygons),) = annotations(truth)
    drawn = filled(polygons, SIZE)
    assert dice(drawn, mistake.said) > 0.75
    assert np.array_equal(mistake.true, truth.findings["Consolidation"])
    # The right lung is on the left of the picture.
    assert np.argwhere(mistake.true)[:, 1].max() < SIZE[1] / 2 < np.argwhere(drawn)[:, 1].min()


def test_one_label_is_missing(phantom):
    mistake = next(found for found in phantom.mistakes if found.kind == "missing label")
    table = rows(phantom.root / mistake.path)
    labels = {row[2]: ast.literal_eval(row[4]) for row in table[1:] if row[2] != "ses-E00008"}
    assert mistake.session == "ses-E00004"
    assert labels["ses-E00004"] == ["COVID 19", " ground glass pattern", ""]
    for truth in phantom.images:
        if truth.session in labels and truth.view in ("pa", "ap", "axial"):
            named = [word for word in labels[truth.session] if "consolidation" in word]
            seen = truth.findings["Consolidation"].any()
            assert bool(named) == (seen and truth.session != mistake.session)


def test_labels_table(phantom):
    table = rows(phantom.root / "covid19_posi/derivatives/labels/Labels_covid_123.tsv")
    assert table[0] == [
        "", "PatientID", "ReportID", "Report", "Labels", "Localizations",
        "LabelsLocalizationsBySentence", "labelCUIS", "LocalizationsCUIS",
    ]  # fmt: skip
    assert [row[0] for row in table[1:]] == [str(n) for n in range(len(table) - 1)]
    assert [row[2] for row in table].count("ses-E00001") == 2
    assert table[1][7] == "[C5203670,C3544344,C0521530]"
    assert "vidrio deslustrado" in table[1][3]
    cut = next(row for row in table if row[2] == "ses-E00008")
    assert cut[3] == ""
    with pytest.raises(SyntaxError):
        ast.literal_eval(cut[4])
    sessions = {path.parent.name for path in phantom.root.rglob("mod-rx")}
    assert {row[2] for row in table[1:]} - sessions == {"ses-E00099"}


def test_other_tables(phantom):
    head = phantom.root / "covid19_posi"
    people = rows(head / "participants.tsv")
    assert people[0] == ["participant", "modality_dicom", "body_parts", "age", "gender"]
    assert people[4] == ["sub-S00004", "['CR', 'CT']", "[['chest']]", "[55]", "F"]
    assert people[-1][0] == "derivatives"
    sessions = rows(head / "sub-S00002/sub-S00002_sessions.tsv")
    assert [row[:2] for row in sessions] == [
        ["session_id", "study_date"],
        ["ses-E00002", "20200312"],
        ["ses-E00003", "20200313"],
    ]
    assert values(phantom.image(EARLY))["00080020"] == "20200312"
    scans = rows(head / "sub-S00001/ses-E00001/sub-S00001_ses-E00001_scans.tsv")
    assert scans[0][:2] == ["filename", "Modality (0008,0060)"]
    assert [row[0] for row in scans[1:]] == [f"mod-rx/{PA}", f"mod-rx/{LATERAL}"]
    tests = rows(head / "derivatives/EHR/SIL_REG_COVID_POSI_iter123.txt")
    assert tests[0] == ["participant", "date", "test", "result"]
    assert ["sub-S00001", "11.03.2020", "PCR", "POSITIVO"] in tests
    tree = head / "derivatives/labels/tree_term_CUI_counts_image_covid_posi.csv"
    assert "├──consolidation [CUI:C0521530, counts:" in tree.read_text(encoding="utf-8")


def test_partitions_name_every_image(phantom):
    head = phantom.root / "covid19_posi"
    listed = {row[2] for row in rows(head / "derivatives/partitions.tsv")[1:]}
    images = {path for path in head.rglob("mod-rx/*") if path.suffix != ".json"}
    assert {head / path for path in listed} == images


def test_iteration_1_parts_lists_by_tabs(releases):
    root = releases["iteration-1"]
    head = root / "bimcv_covid19_posi_head_iter1"
    assert {path.name for path in root.iterdir()} == {
        head.name,
        "bimcv_covid19_posi_subjects_1",
        "bimcv_covid19_posi_subjects_2",
    }
    labels = head / "derivatives/labels/labels_covid19_posi.tsv"
    assert b"\"['COVID 19'\t ' ground glass pattern'" in labels.read_bytes()
    table = rows(labels)
    assert {len(row) for row in table} == {9}
    assert table[1][7] == "[C5203670\tC3544344\tC0521530]"
    tests = rows(head / "derivatives/EHR/sil_reg_covid.tsv")
    assert tests[0] == ["participant", "Subject", "fecha", "prueba", "resultado"]
    assert {len(row) for row in tests} == {5}


def test_iterations_1_and_2(releases):
    found = files(releases["1+2"])
    assert "covid19_posi/derivatives/labels/labels_covid_posi.tsv" in found
    assert "covid19_posi/derivatives/EHR/sil_reg_covid_posi.tsv" in found


def test_the_negative_partition(releases):
    root = releases["negative"]
    assert {path.name for path in root.iterdir()} == {"covid19_neg", "listjoin_ok.tsv"}
    head = root / "covid19_neg"
    assert not (head / "derivatives/EHR").exists()
    labels = (head / "derivatives/labels/Labels_covid_NEG_JAN21.tsv").read_text(encoding="utf-8")
    assert "consolidation" in labels
    assert "COVID" not in labels
    paths = [row[2] for row in rows(head / "derivatives/partitions.tsv")[1:]]
    assert not any("mod-rx" in path for path in paths)
    assert rows(root / "listjoin_ok.tsv")[0] == ["label", "covid19_neg", "covid19_posi"]


def test_releases_hold_the_same_images(releases):
    def images(root):
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in root.rglob("mod-rx/*")
        }

    assert images(releases["iteration-1"]) == images(releases["1+2"])
    assert images(releases["negative"]) == images(releases["1+2"])


def test_without_quirks_every_image_can_be_read(tmp_path):
    root = make_bimcv(tmp_path, (32, 35), quirks=False).root
    names = {path.name for path in root.rglob("mod-rx/*")}
    assert not {EMPTY, PAGE} & names
    assert len([name for name in names if not name.endswith(".json")]) == 12
    table = rows(root / "covid19_posi/derivatives/labels/Labels_covid_123.tsv")
    for row in table[1:]:
        assert ast.literal_eval(row[4])
        assert row[2] != "ses-E00099"


def test_same_seed_same_files(releases, tmp_path):
    def digest(root):
        return hashlib.sha256(
            b"".join(name.encode() + (root / name).read_bytes() for name in sorted(files(root)))
        ).hexdigest()

    same, other = (
        make_bimcv(tmp_path / str(seed), (32, 35), seed, release="1+2").root for seed in (0, 1)
    )
    assert digest(same) == digest(releases["1+2"]) != digest(other)


def test_a_folder_that_holds_anything_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SaveError, match="not empty"):
        make_bimcv(tmp_path, (32, 35))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_bimcv(tmp_path, (32, 35), progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def exposures():
    """One patient, healthy and sick, from the front."""
    shape = volume_shape((96, 105), {"front"})
    chests = [make_chest(shape, seed=3, severity=severity) for severity in (0.0, 0.9)]
    return chests, [expose(chest, "front", (96, 105), 1) for chest in chests]


def test_a_radiograph_looks_like_one(exposures):
    (chest, _), (shown, _) = exposures
    picture = shown.picture
    assert picture.shape == (96, 105)
    assert 0 <= picture.min() < picture.max() <= 1
    depth = (chest.lobes > 0).sum(axis=1)
    lungs = depth > 0.5 * depth.max()
    middle = picture[:, 48:57]
    assert picture[lungs].mean() < 0.4  # air is dark
    assert middle[30:80].mean() > 0.6  # spine and heart are bright
    assert picture[-8:, 30:75].mean() > 0.5  # so is the abdomen
    assert picture[-8:, :3].mean() < 0.2  # and nothing beside the patient
    left, right = picture[55:65, 60:70].mean(), picture[55:65, 35:45].mean()
    assert left > right + 0.1  # the heart lies to the left, on the right of the picture


def test_findings_are_bright_where_they_are_seen(exposures):
    _, (healthy, sick) = exposures
    change = sick.picture - healthy.picture
    seen = sick.findings[1] | sick.findings[2]
    assert not (healthy.findings[1] | healthy.findings[2]).any()
    assert sick.findings[2].any()
    assert change[sick.findings[2]].mean() > 0.1
    assert change[seen].mean() > change[~seen].mean() + 0.05


def test_the_letter_marks_the_right_side(exposures):
    _, (shown, _) = exposures
    lead = np.argwhere(shown.picture == 1)
    assert len(lead)
    assert lead[:, 1].max() < 105 / 4
    chest = make_chest((32, 32, 32), severity=0)
    side = expose(chest, "side", (32, 32), 1)
    assert not (side.picture == 1).any()
