// SPDX-License-Identifier: MIT
// expect: process
// expect: it looks like the process id
#include <unistd.h>
pid_t process;

void precompile(void)
{
  process = getpid();
}
