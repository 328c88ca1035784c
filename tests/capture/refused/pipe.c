// SPDX-License-Identifier: MIT
// expect: is still open: pipe:
#include <unistd.h>
int ends[2];

void precompile(void)
{
  if (pipe(ends) != 0)
    _exit(1);
}
