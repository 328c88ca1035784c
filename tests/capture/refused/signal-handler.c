// SPDX-License-Identifier: MIT
// expect: (USR1) has another handler than before
#include <signal.h>

static void handle(int number)
{
  (void)number;
}

void precompile(void)
{
  signal(SIGUSR1, handle);
}
