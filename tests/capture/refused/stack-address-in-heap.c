// SPDX-License-Identifier: MIT
// expect: byte 8 of an object of 16 bytes, which node leads to
// expect: points into the stack
// expect: allocated by make
#include <stdlib.h>

struct node {
  struct node *self;
  void *stack;
} *node;

__attribute__((noinline)) static struct node *make(void *stack)
{
  struct node *made = malloc(sizeof *made);
  *made = (struct node){made, stack};
  return made;
}

void precompile(void)
{
  char local[100];
  node = make(local);
}
