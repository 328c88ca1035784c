// SPDX-License-Identifier: MIT
#include "cli/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void words_deinit(struct words *words)
{
  for (size_t i = 0; i < words->count; i++)
    free(words->items[i]);
  free(words->items);
  *words = (struct words){0};
}

static bool reserve(struct words *words)
{
  if (words->count < words->capacity)
    return true;
  size_t capacity = words->capacity ? 2 * words->capacity : 8;
  char **items = realloc(words->items, capacity * sizeof *items);
  if (!items)
    return false;
  words->items = items;
  words->capacity = capacity;
  return true;
}

enum words_result words_add(struct words *words, const char *text, size_t length)
{
  char *copy = reserve(words) ? strndup(text, length) : NULL;
  if (!copy)
    return WORDS_NO_MEMORY;
  words->items[words->count++] = copy;
  return WORDS_OK;
}

// The quotes of POSIX XCU 2.2. Copies the word at `*text` to `word`, moves `*text` behind it, and
// returns the length; -1 if a quote stays open.
static ptrdiff_t copy_word(const char **text, char *word)
{
  char quote = 0;
  ptrdiff_t length = 0;
  const char *at = *text;
  for (; *at && (quote || !strchr(" \t\n", *at)); at++) {
    bool escapes = *at == '\\' && quote != '\'' && at[1] && (!quote || strchr("\"\\$`", at[1]));
    if (escapes)
      word[length++] = *++at;
    else if (quote ? *at == quote : *at == '"' || *at == '\'')
      quote = quote ? 0 : *at;
    else
      word[length++] = *at;
  }
  *text = at;
  return quote ? -1 : length;
}

static enum words_result split_into(struct words *words, const char *text, char *word)
{
  enum words_result result = WORDS_OK;
  text += strspn(text, " \t\n");
  while (*text && result == WORDS_OK) {
    ptrdiff_t length = copy_word(&text, word);
    result = length < 0 ? WORDS_OPEN_QUOTE : words_add(words, word, (size_t)length);
    text += strspn(text, " \t\n");
  }
  return result;
}

enum words_result words_split(struct words *words, const char *text)
{
  char *word = malloc(strlen(text) + 1);
  if (!word)
    return WORDS_NO_MEMORY;
  enum words_result result = split_into(words, text, word);
  free(word);
  return result;
}
