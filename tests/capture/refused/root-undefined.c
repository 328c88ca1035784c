// SPDX-License-Identifier: MIT
// options: --root absent
// status: 5 UNDEFINED_SYMBOL
// expect: absent
// expect: the declared root is not defined
void precompile(void)
{
}
