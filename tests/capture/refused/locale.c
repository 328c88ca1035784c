// SPDX-License-Identifier: MIT
// expect: the locale is another one than before
#include <locale.h>

void precompile(void)
{
  setlocale(LC_ALL, "C.UTF-8");
}
