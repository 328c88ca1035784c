// SPDX-License-Identifier: MIT
// A function that the package keeps to itself.
// status: 5 UNDEFINED_SYMBOL
// expect: precompile
// expect: the declared precompile function is not visible to others
__attribute__((used)) static void precompile(void)
{
}
