// SPDX-License-Identifier: MIT
// expect: left the process with exit code 7
#include <stdlib.h>

__attribute__((constructor)) static void construct(void)
{
  exit(7);
}

void precompile(void)
{
}
