#include "base/error.h"
void *map(void) { return mmap(0, 1, 0, 0, -1, 0); }
