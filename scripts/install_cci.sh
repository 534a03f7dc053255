#!/bin/sh
# Install CumulusCI into a separate environment, .cache/cci (180 MB, half a minute), since its packages conflict with those
# of sfcode. They are locked in requirements/cci.txt. tests/contract runs CumulusCI against the local org.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .cache
echo '*' > .cache/.gitignore
rm -rf .cache/cci
.venv/bin/python -m venv --without-pip .cache/cci

# On Debian without `ensurepip`, environments have no pip; the pip of the system can install into them.
installer=.venv/bin/python
"$installer" -m pip --version >/dev/null 2>&1 || installer=python3
exec "$installer" -m pip --python .cache/cci/bin/python install --quiet --quiet --disable-pip-version-check --no-input \
  --retries 10 --timeout 60 --require-hashes --no-deps --requirement requirements/cci.txt
