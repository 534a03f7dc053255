#!/bin/sh
# Install the Salesforce CLI, source-deploy-retrieve, jsforce and their version of Node into .cache/sf (500 MB, about a
# minute). tests/contract runs them against the local org. All versions are locked in requirements/node. Any version of
# npm can install them.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .cache/sf
echo '*' > .cache/.gitignore
cp requirements/node/package.json requirements/node/package-lock.json .cache/sf
# Packages run no install scripts. A broken connection is retried.
exec npm ci --prefix .cache/sf --no-fund --no-audit --ignore-scripts --fetch-retries 5 --loglevel error
