// SPDX-License-Identifier: MIT
#include "image/lock.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

int lock_take(void)
{
  return pthread_mutex_lock(&lock);
}

void lock_release(int *taken)
{
  (void)taken;
  pthread_mutex_unlock(&lock);
}
