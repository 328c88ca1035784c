// SPDX-License-Identifier: MIT
// What runs when: constructors and `precompile` at build time, initialisation and ends in each process.
#include <stdio.h>
#include <stdlib.h>

static int steps;

static void step(const char *text)
{
  printf("%d %s\n", ++steps, text);
}

static void first_exit(void)
{
  step("first exit");
}
static void second_exit(void)
{
  step("second exit");
}

__attribute__((constructor)) static void construct(void)
{
  step("constructor");
  atexit(first_exit);
}
__attribute__((destructor)) static void destruct(void)
{
  step("destructor");
}

void precompile(void)
{
  step("precompile");
  atexit(second_exit);
}

void initialise(void)
{
  step("initialise");
}

int main(void)
{
  step("main");
  return 0;
}
