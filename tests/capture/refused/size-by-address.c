// SPDX-License-Identifier: MIT
// expect: it has another size in each run
#include <stdint.h>
#include <stdlib.h>
char *text;

void precompile(void)
{
  int local;
  text = malloc(200 + ((uintptr_t)&local >> 12) % 8);
}
