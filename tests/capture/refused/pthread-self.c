// SPDX-License-Identifier: MIT
// expect: self
// expect: points to memory of the host
#include <pthread.h>
pthread_t self;

void precompile(void)
{
  self = pthread_self();
}
