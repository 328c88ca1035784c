// SPDX-License-Identifier: MIT
// The address of a local variable, mixed, as some random generators begin.
// expect: seed
// expect: may be a random number, or computed from an address
#include <stdint.h>
uint32_t seed;

void precompile(void)
{
  int local;
  seed = (uint32_t)((uintptr_t)&local * 0x9e3779b97f4a7c15 >> 32);
}
