// SPDX-License-Identifier: MIT
#include "answers.h"

#include <stdio.h>

/// An entry of its own: 0 if the state came with the image.
int captured(int argc, char **argv)
{
  (void)argc;
  (void)argv;
  return is_warm() ? 0 : 1;
}

uint64_t first_answer(uint64_t ignored)
{
  (void)ignored;
  warm();
  return answer_quietly();
}

int main(int argc, char **argv)
{
  warm();
  for (int i = 1; i < argc; i++) {
    printf("%s\n", argv[i]);
    answer(argv[i]);
  }
  finish();
  return 0;
}
