"""A hospital's own images: any folder of DICOM series and NIfTI files that is no published dataset.

Whatever lies where below the root, every image is a case, and one folder is ours::

    <root>/
      p01/<slices>.dcm            one case per series in the folder: p01, p01#2
      p02/radiograph.dcm          a series of one file is known by that file: p02/radiograph.dcm
      p03/ct.nii.gz               a case
      p03/ct_seg.nii.gz           a mask beside its image, corrected in place
      masks/segments.csv          value,name,color,code: the structures of all masks in this folder
      masks/p01_mask.nii.gz       the mask of p01; p01_2_mask.nii.gz is that of p01#2
      masks/p03/ct_mask.nii.gz    the mask of p03/ct.nii.gz
"""

from napari_chest.datasets.generic.dataset import Generic

__all__ = ["Generic"]
