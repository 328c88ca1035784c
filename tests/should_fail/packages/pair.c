// SPDX-License-Identifier: MIT
// Names two dependencies and uses neither.
int value(void)
{
  return 3;
}
