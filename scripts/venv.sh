#!/bin/sh
# Make .venv from the lock, with sfcode in it as an editable install. Nothing has to be there
# before but Python 3.11 or newer; PYTHON=/path/to/python chooses one.
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
[ -n "$python" ] || fail "Python 3.11 or newer is needed and was not found; install it, or name it: make PYTHON=/path/to/python"
new_enough "$python" || fail "$python is not Python 3.11 or newer"

# Debian keeps `ensurepip` in a package of its own: without it, the pip of the system can still
# fill an environment that has none.
installer=".venv/bin/python -m pip"
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    "$python" -m venv .venv
  elif "$python" -c 'import venv' 2>/dev/null && "$python" -m pip --python "$python" --version >/dev/null 2>&1; then
    "$python" -m venv --without-pip .venv
    installer="$python -m pip --python .venv/bin/python"
  else
    fail "this Python can not make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"
  fi
fi

quiet="--quiet --quiet --disable-pip-version-check --no-input --retries 10 --timeout 60"
echo "make: installing the locked packages into .venv"
for attempt in 1 2 3; do
  # --no-deps: the lock is complete, and pip need not look for what is not in it.
  if $installer install $quiet --require-hashes --no-deps --requirement requirements/dev.txt; then
    $installer install $quiet --no-deps --no-build-isolation --editable .
    exit 0
  fi
  echo "make: that did not work (attempt $attempt of 3)" >&2
done
fail "the locked packages could not be installed; see pip's message above"
