"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "executors": {
        "slurm": {
            "class": "turnkeyml_plugin_slurm.executor:SlurmExecutor",
            "summary": "Run each input as a job of a Slurm cluster.",
        }
    },
}
