// SPDX-License-Identifier: MIT
// status: 5 UNDEFINED_SYMBOL
// expect: precompile
// expect: the declared precompile function is not a function
int precompile;
