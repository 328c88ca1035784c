// SPDX-License-Identifier: MIT
//
// A package that needs the one made from dependency.c.
#include <stdio.h>

extern int answer(void);
extern int answers[];

int main(void)
{
  return printf("%d %d\n", answer(), answers[1]) < 0;
}
