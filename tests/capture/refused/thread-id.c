// SPDX-License-Identifier: MIT
// expect: thread
// expect: it looks like the process id
#define _GNU_SOURCE
#include <unistd.h>
pid_t thread;

void precompile(void)
{
  thread = gettid();
}
