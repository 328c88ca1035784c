// SPDX-License-Identifier: MIT
// expect: started
// expect: it looks like the time
#include <time.h>
time_t started;

void precompile(void)
{
  started = time(NULL);
}
