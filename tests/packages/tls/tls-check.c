// SPDX-License-Identifier: MIT
//
// Thread-local objects of this image and of its dependency, seen from many threads.
#include "tls-lib.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 16, ROUNDS = 12 };

static _Thread_local long own = 11, own_zero;
static _Thread_local struct wide own_wide;
static _Thread_local int *own_pointer = &lib_shared[3]; // points into the dependency
static _Thread_local struct {
  char name;
  int (*function)(int);
} own_table[2] = {{'a', lib_static_sum}, {'b', lib_hidden}};

// The plain ones, not declared static: other images could reach them.
_Thread_local int check_exported = 3;

static _Atomic long failures, ended_sum, started;
static pthread_barrier_t barrier;
static int *addresses[THREADS];

static void require(int good, const char *what) {
  if (good)
    return;
  failures++;
  fprintf(stderr, "failed: %s\n", what);
}

static int all_zero(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (bytes[i])
      return 0;
  return 1;
}

static void check_fresh(void) {
  require(lib_counter == 5 && own == 11 && own_zero == 0 && check_exported == 3, "initial values");
  require(all_zero(lib_zero, sizeof lib_zero), "zero-initialised bytes");
  require((uintptr_t)&lib_wide % 64 == 0 && (uintptr_t)&own_wide % 64 == 0, "alignment");
  require(!strcmp(lib_wide.bytes, "wide") && lib_wide.value == 64 && own_wide.value == 0, "over-aligned values");
  require(!strcmp(lib_text, "text of the library") && *lib_pointer == 12, "relocated initial values");
  require(own_pointer == lib_shared + 3 && lib_host("four") == 4, "pointers to elsewhere");
  require(lib_counter_address() == &lib_counter, "one address in both images");
  require(own_table[0].function == lib_static_sum && own_table[1].function(0) == 100, "function pointers");
}

static void change(int id) {
  lib_counter += id;
  own += id;
  own_zero = id;
  own_wide.value = id;
  memset(lib_zero, id + 1, sizeof lib_zero);
  lib_pointer = addresses[id] = &lib_counter;
  check_exported = -id;
}

static void check_changed(int id) {
  require(lib_counter == 5 + id && own == 11 + id && own_zero == id && own_wide.value == id, "own values");
  require(lib_zero[0] == id + 1 && lib_zero[sizeof lib_zero - 1] == id + 1, "own bytes");
  require(*lib_pointer == 5 + id && check_exported == -id, "own pointer");
  require(lib_static_sum(id) == 27 + 3 * id && lib_hidden(id) == 100 + id, "static ones of the library");
}

static void report(int value) {
  ended_sum += value;
}

static void *thread(void *argument) {
  int id = (int)(intptr_t)argument;
  started++;
  check_fresh();
  change(id);
  lib_at_exit(report);
  pthread_barrier_wait(&barrier); // all are alive now
  for (int other = 0; other < THREADS; other++)
    require(other == id || addresses[other] != addresses[id], "addresses differ between threads");
  check_changed(id);
  pthread_barrier_wait(&barrier);
  return (void *)(intptr_t)lib_counter;
}

static long round_of_threads(void) {
  pthread_t threads[THREADS];
  long sum = 0;
  for (intptr_t id = 0; id < THREADS; id++)
    if (pthread_create(&threads[id], NULL, thread, (void *)id))
      return -1;
  for (int id = 0; id < THREADS; id++) {
    void *result;
    pthread_join(threads[id], &result);
    sum += (intptr_t)result;
  }
  return sum;
}

int main(void) {
  long sum = 0;
  check_fresh();
  lib_counter = 50;
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (int round = 0; round < ROUNDS; round++)
    sum += round_of_threads();
  require(lib_counter == 50, "the main thread's own value");
  printf("started %ld, sum %ld, at their ends %ld, failures %ld\n", (long)started, sum, (long)ended_sum,
         (long)failures);
  printf("%s; %d; %zu; %d\n", lib_text, *lib_pointer, lib_host("12345"), lib_static_sum(1));
  return failures != 0;
}
