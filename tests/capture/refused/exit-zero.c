// SPDX-License-Identifier: MIT
// expect: left the process with exit code 0
#include <unistd.h>

void precompile(void)
{
  _exit(0);
}
