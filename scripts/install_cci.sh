#!/bin/sh
# Install CumulusCI into an environment of its own, .cache/cci (180 MB, half a minute): its packages are locked in
# requirements/cci.txt, and would not go together with ours. tests/contract runs it against the local org.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .cache
echo '*' > .cache/.gitignore
rm -rf .cache/cci
.venv/bin/python -m venv --without-pip .cache/cci

# Debian keeps pip out of environments when `ensurepip` is not there: then the system's can fill this one.
installer=.venv/bin/python
"$installer" -m pip --version >/dev/null 2>&1 || installer=python3
exec "$installer" -m pip --python .cache/cci/bin/python install --quiet --quiet --disable-pip-version-check --no-input \
  --retries 10 --timeout 60 --require-hashes --no-deps --requirement requirements/cci.txt
