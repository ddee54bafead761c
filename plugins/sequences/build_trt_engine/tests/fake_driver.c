/* A CUDA driver with one GPU, or none if FAKE_GPU is not set: what gpu_task.py asks of libcuda. */
#include <stdlib.h>
#include <string.h>

int cuInit(unsigned flags) { return getenv("FAKE_GPU") ? 0 : 100; }
int cuDeviceGetCount(int *count) { *count = getenv("FAKE_GPU") != NULL; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = 0; return ordinal; }
int cuDeviceGetName(char *name, int length, int device) {
    strncpy(name, getenv("FAKE_GPU"), length - 1);
    return device;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? 9 : 0;
    return device;
}
