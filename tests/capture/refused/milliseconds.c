// SPDX-License-Identifier: MIT
// expect: started
// expect: it looks like the time
#include <stdint.h>
#include <time.h>
uint64_t started;

void precompile(void)
{
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  started = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
