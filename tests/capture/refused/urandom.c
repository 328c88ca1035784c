// SPDX-License-Identifier: MIT
// expect: seed
// expect: may be a random number
#include <stdint.h>
#include <stdio.h>
uint64_t seed;

void precompile(void)
{
  FILE *file = fopen("/dev/urandom", "r");
  if (!file || fread(&seed, sizeof seed, 1, file) != 1)
    __builtin_trap();
  fclose(file);
}
