"""The turnkey executor `slurm`."""
