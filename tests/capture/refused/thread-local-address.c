// SPDX-License-Identifier: MIT
// expect: where
// expect: points to memory of the host
static _Thread_local int number;
int *where;

void precompile(void)
{
  where = &number;
}
