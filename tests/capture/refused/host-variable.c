// SPDX-License-Identifier: MIT
// The C library has a buffer for this, which has no name.
// expect: broken_down
// expect: points to memory of the host
#include <time.h>
struct tm *broken_down;

void precompile(void)
{
  time_t beginning = 0;
  broken_down = gmtime(&beginning);
}
