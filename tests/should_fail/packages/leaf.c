// SPDX-License-Identifier: MIT
// What all others depend on. -DSTART makes another build of it, -DSIZE another that is larger.
#ifndef START
#define START 1
#endif
#ifndef SIZE
#define SIZE 4
#endif

int leaf_counter = START;
int leaf_numbers[SIZE] = {START};
int leaf_value(int argument)
{
  return leaf_counter + leaf_numbers[argument & 3];
}
int value(void)
{
  return 1;
}
