// SPDX-License-Identifier: MIT
// Each way in which code takes an address from a word, in functions of one instruction where that is possible.
#include <stdio.h>
#include <string.h>

extern int low_counter;
int low_add(int number);
size_t (*low_host(void))(const char *);
int high_missing(void) __attribute__((weak));
int getppid(void) __attribute__((weak));

// One instruction: a jump.
int high_tail(int number)
{
  return low_add(number);
}
size_t high_host_tail(const char *text)
{
  return strlen(text);
}

// One instruction that loads an address.
int (*high_address(void))(int)
{
  return low_add;
}
int *high_data(void)
{
  return &low_counter;
}
size_t (*high_host_address(void))(const char *)
{
  return strlen;
}
FILE **high_stream(void)
{
  return &stdout;
}
int (*high_weak(void))(void)
{
  return getppid;
}
int (*high_absent(void))(void)
{
  return high_missing;
}

// Calls, and pointers that are compared where they meet: in words, in registers, from both images.
size_t (*high_held)(const char *) = strlen;
int high_calls(const char *text)
{
  int sum = low_add(1) + low_add(10) + (int)strlen(text) + low_counter;
  if (high_missing)
    sum += high_missing();
  if (getppid && getppid() < 0)
    sum = 0;
  if (low_host() != strlen || high_held != strlen || high_held != high_host_address())
    return -1;
  return sum + (high_address() == low_add) + (high_data() == &low_counter);
}
