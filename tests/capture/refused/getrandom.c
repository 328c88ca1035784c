// SPDX-License-Identifier: MIT
// expect: seed
// expect: may be a random number
#include <stdint.h>
#include <sys/random.h>
uint64_t seed;

void precompile(void)
{
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
    __builtin_trap();
}
