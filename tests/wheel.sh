#!/bin/sh
# Build the wheel, install it into a new environment, and do the main job outside the checkout.
set -eu
checkout=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$PYTHON" -m build --quiet --wheel --outdir "$work/dist" "$checkout"
"$PYTHON" -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$checkout/requirements.lock"
env/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dist/*.whl
mkdir office && cd office
../env/bin/qingyi --version
../env/bin/qingyi init . >/dev/null
../env/bin/qingyi report data/samples/round1 -o out
test -s out/report.html && test -s out/report.xlsx && test -s out/summary.csv
cd .. && mkdir bare && cp -r office/data/samples/round1 bare/input && cd bare
../env/bin/qingyi report input -o out >/dev/null
cmp out/summary.csv ../office/out/summary.csv
echo "wheel: 安装后在检出目录之外可用"
