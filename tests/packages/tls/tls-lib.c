// SPDX-License-Identifier: MIT
#include "tls-lib.h"

#include <pthread.h>
#include <string.h>

_Thread_local int lib_counter = 5;
_Thread_local char lib_zero[1 << 16];
_Thread_local struct wide lib_wide = {.bytes = "wide", .value = 64};
_Thread_local const char *lib_text = "text of the library";
int lib_shared[4] = {10, 11, 12, 13};
_Thread_local int *lib_pointer = &lib_shared[2];
_Thread_local size_t (*lib_host)(const char *) = strlen;

// Local dynamic: one call for the block, offsets for the rest.
static _Thread_local int first = 1, second = 2, third;
static _Thread_local char padding[3] = {7, 8, 9};
__attribute__((visibility("hidden"))) _Thread_local int hidden_counter = 100;

__attribute__((noinline)) static void touch(int add) {
  first += add;
  second += add;
  third += add;
}

int *lib_counter_address(void) {
  return &lib_counter;
}

int lib_static_sum(int add) {
  touch(add);
  return first + second + third + padding[0] + padding[1] + padding[2];
}

int lib_hidden(int add) {
  return hidden_counter += add;
}

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local int at_exit_value;
static void (*at_exit_report)(int);

// Runs while the thread ends: its thread-local objects must still be there.
static void thread_ends(void *value) {
  (void)value;
  at_exit_report(at_exit_value + lib_counter);
}

static void make_key(void) {
  pthread_key_create(&key, thread_ends);
}

void lib_at_exit(void (*report)(int)) {
  at_exit_report = report;
  pthread_once(&once, make_key);
  pthread_setspecific(key, &at_exit_value);
  at_exit_value = 1000;
}
