// SPDX-License-Identifier: MIT
// options: --precompile-limit 2
// expect: did not end within 2 seconds
#include <unistd.h>

void precompile(void)
{
  for (;;)
    pause();
}
