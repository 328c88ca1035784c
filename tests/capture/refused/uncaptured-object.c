// SPDX-License-Identifier: MIT
// What a dependency that captured nothing has allocated is not there in another process.
// depends: library.c
// expect: borrowed
// expect: a dependency's own allocation
extern char *library_object(void);
char *borrowed;

void precompile(void)
{
  borrowed = library_object();
}
