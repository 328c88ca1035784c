// SPDX-License-Identifier: MIT
// expect: where_i_was
// expect: points into the stack
char *where_i_was;

void precompile(void)
{
  char local[100];
  where_i_was = local;
}
