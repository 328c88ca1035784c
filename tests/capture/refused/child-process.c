// SPDX-License-Identifier: MIT
// expect: a child process that it started
#include <unistd.h>

void precompile(void)
{
  if (fork() == 0)
    _exit(0);
}
