// SPDX-License-Identifier: MIT
// expect: a key of pthread_key_create is still in use
#include <pthread.h>
pthread_key_t key;

void precompile(void)
{
  pthread_key_create(&key, 0);
}
