// SPDX-License-Identifier: MIT
// Depends on full, and so on leaf.
extern int chosen(void);
extern _Thread_local int counter;
int (*functions[1])(void) = {chosen};
int value(void)
{
  return functions[0]() + counter;
}
