"""MosMedData COVID19_1110: chest CT in five severity categories, lesion masks for fifty of them.

Morozov et al., *MosMedData: chest CT scans with COVID-19 related findings dataset*,
arXiv:2005.06465 (2020)::

    <root>/
      dataset_registry.xlsx                  study_id, category, study_file, mask_file
      studies/CT-1/study_0255.nii.gz         CT-0 ... CT-4; mirrors drift in folders and packing
      masks/study_0255_mask.nii.gz           1 is ground glass or consolidation
      masks/study_0255_mask_split.nii.gz     of ours: the two told apart
      category_corrections.csv               of ours: the registry is never rewritten
"""

from napari_chest.datasets.mosmed.dataset import MosMed

__all__ = ["MosMed"]
