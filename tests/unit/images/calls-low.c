// SPDX-License-Identifier: MIT
// What calls-high.c calls and reads. With several targets each function has a body for each.
#include <string.h>

int low_counter = 100;
int low_add(int number)
{
  return ++low_counter + number;
}
size_t (*low_host(void))(const char *)
{
  return strlen;
}
