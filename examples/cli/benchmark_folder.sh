#!/usr/bin/env bash
# Benchmarks all scripts of a folder, each in a process of its own, and writes a report.
#
#     bash benchmark_folder.sh FOLDER REPORTS
set -euo pipefail
folder=${1:?a folder with scripts}
reports=${2:?where the report goes}

# One model that fails shall not hide the results of the others.
turnkey -i "$folder"/*.py --process-isolation --timeout 600 discover export-pytorch benchmark || failed=$?
turnkey report -r "$reports"
exit "${failed:-0}"
