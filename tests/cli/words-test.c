// SPDX-License-Identifier: MIT
//
// cli/words: a line splits as a shell would split it, and nothing is expanded.
#include "cli/words.h"

#include <stdio.h>
#include <string.h>

struct example {
  const char *text;
  enum words_result result;
  const char *words;  ///< each followed by a bar
};

static const struct example examples[] = {
    {"", WORDS_OK, ""},
    {"  \t\n ", WORDS_OK, ""},
    {"-DA", WORDS_OK, "-DA|"},
    {"  -DA   -DB\t-DC\n", WORDS_OK, "-DA|-DB|-DC|"},
    {"-DA='a b' \"c d\"e", WORDS_OK, "-DA=a b|c de|"},
    {"'' \"\"", WORDS_OK, "||"},
    {"a\\ b \\\"c\\\" \\\\", WORDS_OK, "a b|\"c\"|\\|"},
    {"\"a\\\"b\\n\\\\\" 'a\\b'", WORDS_OK, "a\"b\\n\\|a\\b|"},
    {"$HOME ~ * `id` $(id)", WORDS_OK, "$HOME|~|*|`id`|$(id)|"},
    {"a\\", WORDS_OK, "a\\|"},
    {"-DA 'b", WORDS_OPEN_QUOTE, "-DA|"},
    {"\"b\\\"", WORDS_OPEN_QUOTE, ""},
};

static int check(const struct example *example)
{
  char found[256] = "";
  struct words words = {0};
  enum words_result result = words_split(&words, example->text);
  for (size_t i = 0; i < words.count; i++) {
    size_t length = strlen(found);
    snprintf(found + length, sizeof found - length, "%s|", words.items[i]);
  }
  words_deinit(&words);
  if (result == example->result && strcmp(found, example->words) == 0)
    return 0;
  printf("%s\n  expected %d %s\n  found    %d %s\n", example->text, example->result, example->words, result,
         found);
  return 1;
}

int main(void)
{
  int failures = 0;
  for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
    failures += check(&examples[i]);
  return failures != 0;
}
