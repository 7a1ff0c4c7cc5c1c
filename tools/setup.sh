#!/bin/sh
# Checks Python, installs Qt's system libraries where it can, and installs the project into a
# virtual environment. Usage: setup.sh VENV
set -eu
venv=$1
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    found=$("$python" --version 2>&1 || true)
    echo "napari-chest needs Python 3.11 or newer; $python is: ${found:-not there}." >&2
    echo "Name another one: make PYTHON=python3.12 ..." >&2
    exit 1
fi

# What napari's window needs on Debian and Ubuntu, with a virtual screen for machines without one,
# the checker that DICOM files are held against in tests, and the database server of which tests
# start one of their own.
packages="libgl1 libegl1 libfontconfig1 libxkbcommon0 libdbus-1-3 libxcb-cursor0
libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 xvfb xauth dicom3tools postgresql"

missing_packages() {
    for package in $packages; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'install ok installed' ||
            printf '%s ' "$package"
    done
    # Renamed in Ubuntu 24.04 and Debian 13.
    dpkg-query -W libglib2.0-0 libglib2.0-0t64 2>/dev/null | grep -q '[0-9]$' ||
        printf '%s ' "$(apt-cache show libglib2.0-0t64 >/dev/null 2>&1 &&
            echo libglib2.0-0t64 || echo libglib2.0-0)"
}

if command -v apt-get >/dev/null 2>&1; then
    needed=$(missing_packages)
    if [ -n "$needed" ] && [ "$(id -u)" = 0 ]; then
        echo "Installing system libraries: $needed"
        export DEBIAN_FRONTEND=noninteractive
        # Its programs are wanted; without this the package starts a server for the whole machine.
        if ! [ -e /etc/postgresql-common ]; then
            mkdir /etc/postgresql-common
            echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
        fi
        apt-get update -qq
        # The name of glib may only be known now.
        # shellcheck disable=SC2046
        apt-get install -y -qq --no-install-recommends $(missing_packages) >/dev/null
    elif [ -n "$needed" ]; then
        echo "Qt may need system libraries that are not installed. Where windows do not open, run:" >&2
        echo "  sudo apt-get install --no-install-recommends $needed" >&2
    fi
fi

if ! [ -x "$venv/bin/python" ] && ! "$python" -m venv "$venv"; then
    echo "$python cannot make a virtual environment. On Debian and Ubuntu, run:" >&2
    echo "  sudo apt-get install python3-venv" >&2
    exit 1
fi
echo "Installing napari-chest into $venv (some minutes the first time) ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[all]' --group dev
