#!/bin/sh
# Create .venv with the locked packages, and install sfcode in it as editable. This requires only
# Python 3.11 or newer; PYTHON=/path/to/python selects one.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "make: $1" >&2
  exit 1
}

new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3 python3.11 python3.12 python3.13 python3.14; do
    if new_enough "$candidate"; then
      python=$candidate
      break
    fi
  done
fi
[ -n "$python" ] || fail "Python 3.11 or newer was not found; install it, or pass its path: make PYTHON=/path/to/python"
new_enough "$python" || fail "$python is not Python 3.11 or newer"

# On Debian, `ensurepip` is a separate package. Without it, environments have no pip; the pip of the
# system can install into them.
installer=".venv/bin/python -m pip"
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    "$python" -m venv .venv
  elif "$python" -c 'import venv' 2>/dev/null && "$python" -m pip --python "$python" --version >/dev/null 2>&1; then
    "$python" -m venv --without-pip .venv
    installer="$python -m pip --python .venv/bin/python"
  else
    fail "this Python cannot create virtual environments; on Debian and Ubuntu, run apt-get install python3-venv"
  fi
fi

quiet="--quiet --quiet --disable-pip-version-check --no-input --retries 10 --timeout 60"
echo "make: installing the locked packages into .venv"
for attempt in 1 2 3; do
  # --no-deps, since the lock lists all packages.
  if $installer install $quiet --require-hashes --no-deps --requirement requirements/dev.txt; then
    $installer install $quiet --no-deps --no-build-isolation --editable .
    exit 0
  fi
  echo "make: the installation failed (attempt $attempt of 3)" >&2
done
fail "the locked packages could not be installed; see pip's message above"
