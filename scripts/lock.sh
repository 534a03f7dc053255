#!/bin/sh
# Lock the dependencies: requirements/dev.txt and relay.txt from pyproject.toml, and cci.txt, release.txt and site.txt from their .in files. Every package has
# its hashes, and no file names an index. Locked versions change only with `make lock ARGS=--upgrade`.
set -eu
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
python3 -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check 'pip-tools>=7.5,<8'
compile() {
  CUSTOM_COMPILE_COMMAND="make lock" "$tools/bin/python" -m piptools compile --generate-hashes --strip-extras \
    --allow-unsafe --quiet --no-emit-index-url --no-emit-trusted-host --no-emit-find-links "$@"
}
compile pyproject.toml --extra dev --extra relay --output-file requirements/dev.txt "$@"
compile pyproject.toml --extra relay --output-file requirements/relay.txt "$@"
for name in cci release site; do
  compile "requirements/$name.in" --output-file "requirements/$name.txt" "$@"
done
