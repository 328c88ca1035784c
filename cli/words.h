// SPDX-License-Identifier: MIT
//
// A growing list of strings, and a line of text split into one as a shell would: blanks separate,
// quotes and backslashes hold together. Nothing is expanded: no variables, globs or commands.
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stddef.h>

struct words {
  char **items;
  size_t count, capacity;
};
enum words_result { WORDS_OK, WORDS_NO_MEMORY, WORDS_OPEN_QUOTE };

void words_deinit(struct words *words);
/// Append a copy of the first `length` bytes of `text`.
enum words_result words_add(struct words *words, const char *text, size_t length);
/// Append the words of `text`. A failure may leave some of them.
enum words_result words_split(struct words *words, const char *text);

#endif
