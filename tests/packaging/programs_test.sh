#!/bin/bash
# The programs of project/, as Bazel builds them, say what `consumers` expects of CMake's.
set -u
cd tests/packaging || exit 1
. ./steps.sh
step "the programs of project/" programs .
totals
