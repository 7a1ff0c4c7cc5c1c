#!/bin/sh
# Opens the demo; where there is no display it walks through it on a virtual one.
# Usage: demo.sh BIN
set -eu
if [ "$(uname)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec sh tools/with-screen.sh "$1/napari-chest" demo --scripted
fi
exec "$1/napari-chest" demo
