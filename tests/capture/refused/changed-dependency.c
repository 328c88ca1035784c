// SPDX-License-Identifier: MIT
// depends: library.c
// expect: library_counter
// expect: it belongs to the dependency library
extern int library_counter;

void precompile(void)
{
  library_counter++;
}
