#!/bin/sh
# Types, lint, format, import rules.
set -eu
cd "$(dirname "$0")/.."
npx tsc
npx biome check --error-on-warnings .
bin/node node_modules/dependency-cruiser/bin/dependency-cruise.mjs --config .dependency-cruiser.cjs src
