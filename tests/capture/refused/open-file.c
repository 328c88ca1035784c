// SPDX-License-Identifier: MIT
// expect: descriptor
// expect: is still open: /dev/null
#include <stdio.h>
FILE *file;

void precompile(void)
{
  file = fopen("/dev/null", "r");
}
