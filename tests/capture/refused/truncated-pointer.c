// SPDX-License-Identifier: MIT
// expect: handle
// expect: computed from an address
#include <stdint.h>
#include <stdlib.h>
uint32_t handle;
void *object;

void precompile(void)
{
  object = malloc(100);
  handle = (uint32_t)(uintptr_t)object;
}
