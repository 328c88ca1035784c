// SPDX-License-Identifier: MIT
// From a variable of this package to one of a dependency: each lies elsewhere in another process.
// depends: library.c
// expect: distance
// expect: computed from an address
#include <stdint.h>
extern int library_counter;
intptr_t distance;

void precompile(void)
{
  distance = (intptr_t)&library_counter - (intptr_t)&distance;
}
