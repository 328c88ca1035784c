// SPDX-License-Identifier: MIT
//
// A package of one function and some data.
extern int answers[];
int answer(void);

int answers[] = {1, 2, 3};

int answer(void)
{
  return answers[0] + 41;
}
