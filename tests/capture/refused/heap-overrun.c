// SPDX-License-Identifier: MIT
// Writing over the word in front of the next object, as a program with that bug would.
// expect: wrote over the heap's structure
#include <stdlib.h>
#include <string.h>
char *volatile text, *volatile next;

void precompile(void)
{
  text = malloc(24);
  next = malloc(24);
  memset(text, 'x', 60);
}
