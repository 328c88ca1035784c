// SPDX-License-Identifier: MIT
// expect: left the process with exit code 3
#include <stdlib.h>

void precompile(void)
{
  exit(3);
}
