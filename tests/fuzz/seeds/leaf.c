// SPDX-License-Identifier: MIT
int leaf_counter = 4;
int leaf_value(int argument)
{
  return leaf_counter + argument;
}
int value(void)
{
  return 1;
}
