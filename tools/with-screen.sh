#!/bin/sh
# Runs a command on a virtual screen where one is to be had, so that windows pop up nowhere.
# Usage: with-screen.sh COMMAND [ARGUMENT ...]
set -eu
if [ "$(uname)" = Linux ] && command -v xvfb-run >/dev/null 2>&1; then
    exec xvfb-run -a -s '-screen 0 1920x1200x24' "$@"
fi
exec "$@"
