#!/bin/sh
# Set up and run. Needs Python >= 3.10 with pip, nothing else.
#   ./install.sh          make .venv/ here and install the project into it
#   ./install.sh demo     install, then the main job on a generated world (options go to the demo)
#   ./install.sh test     install, then the tests (options go to pytest)
# PYTHON names the interpreter that makes the environment.
set -eu
cd "$(dirname "$0")"

fail() { echo "error: $*" >&2; exit 2; }

find_python() {
    for name in ${PYTHON:-python3 python python3.13 python3.12 python3.11 python3.10}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    fail "no Python >= 3.10 found; install one, or name it: PYTHON=/path/to/python3 ./install.sh"
}

venv_python() {
    for path in .venv/bin/python .venv/Scripts/python.exe; do
        if [ -x "$path" ]; then echo "$path"; return; fi
    done
}

# Some systems ship Python without ensurepip: then the outer pip installs into the environment.
make_venv() {
    outer=$(find_python) || exit 2
    echo "making .venv with $("$outer" --version)"
    rm -rf .venv
    "$outer" -m venv .venv >/dev/null 2>&1 || "$outer" -m venv --without-pip --clear .venv ||
        fail "$outer cannot make a virtual environment"
}

pip_install() {
    if "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip install --disable-pip-version-check "$@"
    else
        outer=$(find_python) || exit 2
        "$outer" -m pip --python "$python" install --disable-pip-version-check "$@"
    fi
}

# A finished installation leaves a mark with the checksum of what it was made from.
install() {
    target=$1
    mark=".venv/installed$(printf %s "$target" | tr -dc a-z)"
    sum="$(cksum <setup.py) $(pwd)"
    python=$(venv_python)
    if [ -n "$python" ] && [ "$(cat "$mark" 2>/dev/null)" = "$sum" ]; then return; fi
    if [ -z "$python" ] || ! "$python" -c '' 2>/dev/null; then
        make_venv
        python=$(venv_python)
    fi
    pip_install -e "$target" || fail "the installation failed; see the messages of pip above"
    printf '%s' "$sum" >"$mark"
}

action=${1:-install}
[ $# -eq 0 ] || shift
case "$action" in
    install) install . && echo "installed: $python -m cmd_plugin doctor tells what is here" ;;
    demo) install . && exec "$python" -m cmd_plugin demo "$@" ;;
    test) install '.[dev]' && exec "$python" -m pytest "$@" ;;
    *) fail "unknown command '$action': use install, demo or test" ;;
esac
