// SPDX-License-Identifier: MIT
// expect: distance
#include <stdint.h>
#include <stdlib.h>
intptr_t distance;

void precompile(void)
{
  distance = (intptr_t)malloc(10) - (intptr_t)&distance;
}
