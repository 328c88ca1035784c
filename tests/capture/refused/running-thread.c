// SPDX-License-Identifier: MIT
// expect: threads that it started are still running
#include <pthread.h>
#include <unistd.h>

static void *wait_for_ever(void *context)
{
  for (;;)
    pause();
  return context;
}

void precompile(void)
{
  pthread_t thread;
  pthread_create(&thread, 0, wait_for_ever, 0);
}
