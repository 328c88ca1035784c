// SPDX-License-Identifier: MIT
// expect: ended with signal 6 (Aborted)
#include <stdlib.h>

void precompile(void)
{
  abort();
}
