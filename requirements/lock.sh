#!/usr/bin/env bash
# Makes the lock files anew: pinned, hashed, and naming no registry. Needs uv (pip install uv).
# The development lock is solved first, so that tests run on exactly what is shipped.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate "$@" >/dev/null; }
compile --override requirements/overrides.txt --group dev pyproject.toml -o requirements/dev.lock
compile --override requirements/overrides.txt -c requirements/dev.lock pyproject.toml -o requirements/server.lock
compile requirements/conformance.in -o requirements/conformance.lock
compile requirements/openai.in -o requirements/openai.lock
compile -c requirements/dev.lock requirements/build.in -o requirements/build.lock
