// SPDX-License-Identifier: MIT
//
// Asks for one function of libc by two of its versions. Before version 2.3, realpath had no
// way to allocate its result.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

__asm__(".symver realpath_old, realpath@GLIBC_2.2.5");
extern char *realpath_old(const char *path, char *result);

int main(void) {
  char *now = realpath("/", NULL);
  errno = 0;
  char *old = realpath_old("/", NULL);
  printf("now %s, old %s (%d)\n", now ? now : "NULL", old ? old : "NULL", errno == EINVAL);
  free(now);
  return 0;
}
