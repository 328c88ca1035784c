// SPDX-License-Identifier: MIT
// expect: which handle leads to
#include <dlfcn.h>
void *handle;

void precompile(void)
{
  handle = dlopen("libm.so.6", RTLD_NOW);
}
