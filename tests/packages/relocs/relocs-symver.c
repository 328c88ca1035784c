// SPDX-License-Identifier: MIT
//
// Asks for one function of libc by two of its versions. Before version 2.3.3, nftw ignored flags
// that it did not know. (The sanitizers replace many a function of libc, versions or not; not this one.)
#define _XOPEN_SOURCE 700
#include <ftw.h>
#include <stdio.h>

__asm__(".symver nftw_old, nftw@GLIBC_2.2.5");
extern int nftw_old(const char *path, __nftw_func_t visit, int descriptors, int flags);

static int stop(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)path, (void)status, (void)kind, (void)place;
  return 42;
}

int main(void) {
  enum { UNKNOWN = 1 << 20 };
  printf("now %d", nftw("/", stop, 1, UNKNOWN));
  printf(", old %d\n", nftw_old("/", stop, 1, UNKNOWN));
  return 0;
}
