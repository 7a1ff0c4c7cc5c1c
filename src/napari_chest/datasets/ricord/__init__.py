"""MIDRC-RICORD-1A, 1B and 1C: chest CT and radiographs annotated by several readers in MD.ai.

Tsai et al., *The RSNA International COVID-19 Open Radiology Database (RICORD)*, Radiology 299:E204
(2021)::

    <root>/
      MIDRC-RICORD-1a_annotations_labelgroup_all_2020-Dec-8.json   also zipped; known by content
      MIDRC-RICORD-1a-Clinical-Data-Jan-13-2021.xlsx
      manifest-1608266677008/MIDRC-RICORD-1A/<patient>/<study>/<series>/1-001.dcm

Images may lie in any folders; annotations are joined to them by SOP Instance UID alone. 1B has no
annotations, those of 1C are about whole studies.
"""

from napari_chest.datasets.ricord.dataset import Ricord

__all__ = ["Ricord"]
