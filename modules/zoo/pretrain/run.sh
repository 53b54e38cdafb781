#!/bin/sh
# Reproduces the frozen modules: run.sh EXPORT_DIR OUT_DIR [SEED]
set -eu
[ $# -ge 2 ] || { echo "usage: $0 EXPORT_DIR OUT_DIR [SEED]" >&2; exit 2; }
here=$(dirname "$0")
python=${PYTHON:-/usr/bin/python3}
"$python" "$here/pretrain.py" all --data "$1" --out "$2" --seed "${3:-1}"
for module in vision language sound; do
	"$python" "$here/evaluate.py" $module --data "$1" --checkpoints "$2"
done
