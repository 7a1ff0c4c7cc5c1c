#!/bin/sh
# Runs a command with a virtual screen where there is one to be had; Qt itself draws offscreen.
# Usage: with-screen.sh COMMAND [ARGUMENT ...]
set -eu
export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}"
if [ "$(uname)" = Linux ] && command -v xvfb-run >/dev/null 2>&1; then
    exec xvfb-run -a -s '-screen 0 1920x1200x24' "$@"
fi
exec "$@"
