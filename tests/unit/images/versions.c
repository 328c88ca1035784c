// SPDX-License-Identifier: MIT
//
// Asks for two versions of one function of libc.
#include <string.h>
__asm__(".symver old_memcpy, memcpy@GLIBC_2.2.5");
__asm__(".symver new_memcpy, memcpy@GLIBC_2.14");
extern void *old_memcpy(void *, const void *, size_t);
extern void *new_memcpy(void *, const void *, size_t);
void *versions_old(void) {
  return (void *)old_memcpy;
}
void *versions_new(void) {
  return (void *)new_memcpy;
}
double (*versions_pow)(double, double);
extern double pow(double, double);
void *versions_of_pow(void) {
  return (void *)pow;
}
