// SPDX-License-Identifier: MIT
// expect: is still open: /dev/zero
#include <fcntl.h>
int descriptor;

void precompile(void)
{
  descriptor = open("/dev/zero", O_RDONLY);
}
