"""The turnkey device `nvidia`: the GPU that CUDA programs of this process use."""
