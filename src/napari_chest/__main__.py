"""``python -m napari_chest`` is ``napari-chest``."""

import sys

from napari_chest.cli import main

sys.exit(main())
