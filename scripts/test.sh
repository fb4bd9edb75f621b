#!/bin/sh
# The whole test: set-up, build, checks, unit and end-to-end tests.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh --tests
bin/node scripts/build.ts
sh scripts/check.sh
exec bin/node scripts/run-tests.ts all
