// SPDX-License-Identifier: MIT
// The environment's strings lie above the stack.
// expect: path
// expect: points to the arguments or the environment
#include <stdlib.h>
const char *path;

void precompile(void)
{
  path = getenv("PATH");
}
