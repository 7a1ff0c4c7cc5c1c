"""COVID-CT-MD: chest CT as DICOM slices, slice and lobe labels in NumPy arrays.

Afshar et al., *COVID-CT-MD, COVID-19 computed tomography scan dataset applicable in machine
learning and deep learning*, Scientific Data 8:121 (2021)::

    <root>/
      Index.csv                                  Label Index,Diagnosis,Relative Path,Folder/ID
      Slice-level-labels.npy                     (rows, 200) int64
      Lobe-level-labels.npy                      (rows, 200, 5) float64
      Slice-level-labels-updated-1.npy           (rows, 200) int32
      Lobe-level-labels-updated-1.npy            (rows, 200, 5) float64
      COVID-19 subjects/P001/<slice>.dcm         class folders drift in name and depth
      Cap subjects/cap001/<slice>.dcm
      Normal subjects/normal001/<slice>.dcm
"""

from napari_chest.datasets.covid_ct_md.dataset import CovidCtMd

__all__ = ["CovidCtMd"]
