// SPDX-License-Identifier: MIT
// expect: started
#include <time.h>
struct timespec started;

void precompile(void)
{
  clock_gettime(CLOCK_MONOTONIC, &started);
}
