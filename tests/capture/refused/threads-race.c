// SPDX-License-Identifier: MIT
// Two threads allocate as the scheduler likes: objects lie elsewhere in each run.
// expect: lists
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

struct node {
  struct node *next;
  long values[4];
} *lists[2];

static void *fill(void *context)
{
  struct node **list = context;
  for (long i = 0; i < 500; i++) {
    struct node *node = calloc(1, sizeof *node + (list == lists ? 0 : 64));
    unsigned char pause = 0;
    node->next = *list;
    node->values[0] = i;
    *list = node;
    if (getrandom(&pause, 1, 0) == 1)
      nanosleep(&(struct timespec){.tv_nsec = 100 * pause}, 0);
  }
  return 0;
}

void precompile(void)
{
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    pthread_create(&threads[i], 0, fill, &lists[i]);
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], 0);
}
