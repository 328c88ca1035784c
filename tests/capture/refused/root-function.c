// SPDX-License-Identifier: MIT
// options: --root helper
// status: 5 UNDEFINED_SYMBOL
// expect: helper
// expect: the declared root is not a variable
int helper(void)
{
  return 1;
}

void precompile(void)
{
}
