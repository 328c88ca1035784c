// SPDX-License-Identifier: MIT
// What the process said before it died is shown.
// expect: about to crash
// expect: ended with signal 11 (Segmentation fault)
#include <stdio.h>

void precompile(void)
{
  fputs("about to crash\n", stderr);
  *(volatile int *)16 = 1;
}
