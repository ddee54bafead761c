#!/usr/bin/env bash
# Says whether a model became slower between two scripts that build it.
#
#     bash compare_versions.sh BEFORE.py AFTER.py
set -euo pipefail
before=${1:?a script}
after=${2:?a script}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# Results belong together by the name of the script, among other things.
for side in before after; do
    mkdir "$work/$side"
    cp "${!side}" "$work/$side/model.py"
    turnkey -i "$work/$side/model.py" -d "$work/$side/cache" discover benchmark --repeat 3
done
# The weights or the code are not the same; that is what is compared.
turnkey compare "$work/before/cache" "$work/after/cache" --ignore hash parameters
