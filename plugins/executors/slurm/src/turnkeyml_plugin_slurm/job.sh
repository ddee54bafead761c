#!/bin/sh
# $1: the Python of the submitting host, $2: the folder of the submission. Both come as arguments,
# never as text of a script.
exec "$1" -m turnkeyml_plugin_slurm.task "$2"
