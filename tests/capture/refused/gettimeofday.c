// SPDX-License-Identifier: MIT
// expect: started
// expect: it looks like the time
#include <sys/time.h>
struct timeval started;

void precompile(void)
{
  gettimeofday(&started, 0);
}
