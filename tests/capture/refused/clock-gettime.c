// SPDX-License-Identifier: MIT
// expect: started
// expect: it looks like the time
#include <time.h>
struct timespec started;

void precompile(void)
{
  clock_gettime(CLOCK_REALTIME, &started);
}
