#!/bin/sh
# Install Salesforce's own command line and library, and the Node they want, into .cache/sf (500 MB, about a
# minute). tests/contract runs them against the local org. Every version is locked in requirements/node; npm alone has
# to be there, of whatever Node.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .cache/sf
echo '*' > .cache/.gitignore
cp requirements/node/package.json requirements/node/package-lock.json .cache/sf
# No package runs anything while it is installed. A connection that breaks is no reason to fail.
exec npm ci --prefix .cache/sf --no-fund --no-audit --ignore-scripts --fetch-retries 5 --loglevel error
