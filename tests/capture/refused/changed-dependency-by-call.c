// SPDX-License-Identifier: MIT
// The dependency's own function changes its data.
// depends: library.c
// expect: library_
// expect: it belongs to the dependency library
extern void library_count(void);

void precompile(void)
{
  library_count();
}
