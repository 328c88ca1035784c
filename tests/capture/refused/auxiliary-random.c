// SPDX-License-Identifier: MIT
// The kernel's random bytes: they have another address in each process, and other values.
// expect: seed
// expect: may be a random number
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
uint64_t seed;

void precompile(void)
{
  memcpy(&seed, (const void *)getauxval(AT_RANDOM), sizeof seed);
}
