"""BIMCV COVID-19: radiographs and CT as PNG and NIfTI, labels from reports, contours in AIM files.

De la Iglesia Vayá et al., *BIMCV COVID-19+: a large annotated dataset of RX and CT images from
COVID-19 patients*, arXiv:2006.01174 (2020). The folders differ between the releases, so images are
found by their names and tables by the folders they lie in::

    <root>/
      **/participants.tsv
      **/sub-S03044/sub-S03044_sessions.tsv
      **/sub-S03044/ses-E06138/mod-rx/<stem>.png | <stem>.nii.gz, and <stem>.json
      **/derivatives/labels/labels*.tsv           one row per report of a session
      **/derivatives/labels/labels_corrected.tsv  ours: one row per session corrected here
      **/derivatives/EHR/*sil_*.tsv               tests over time
      **/derivatives/roi/**/*_roi.xml             contours of findings, an AIM file per image
"""

from napari_chest.datasets.bimcv.dataset import Bimcv

__all__ = ["Bimcv"]
