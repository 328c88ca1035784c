// SPDX-License-Identifier: MIT
// A pointer at an odd address cannot be told from the halves of two words.
// expect: packed
#include <stdlib.h>
struct __attribute__((packed)) {
  char tag;
  void *object;
} packed;

void precompile(void)
{
  packed.tag = 1;
  packed.object = malloc(100);
}
