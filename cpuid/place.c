// SPDX-License-Identifier: MIT
#include "cpuid/place.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WINDOW = 96, LONGEST_WORD = 40 };

// Bytes that would move the mark, or do worse to a terminal, become `?`.
static void make_harmless(char *text)
{
  for (; *text; text++)
    if (*text < ' ' || *text > '~')
      *text = '?';
}

// The part of the string around the place.
static size_t append_window(char *to, size_t size, const struct place *place, size_t *column)
{
  size_t whole = strlen(place->text);
  size_t first = place->at > WINDOW / 2 ? place->at - WINDOW / 2 : 0;
  const char *before = first ? "..." : "", *behind = whole - first > WINDOW ? "..." : "";
  int shown = (int)(whole - first > WINDOW ? WINDOW : whole - first);
  int length = snprintf(to, size, "\n  %s%.*s%s", before, shown, place->text + first, behind);
  make_harmless(to + 1);
  *column = 2 + strlen(before) + place->at - first;
  return (size_t)length;
}

static void append_mark(char *to, size_t size, const struct place *place, size_t column)
{
  static const char waves[] = "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~";
  size_t more = place->length > 1 ? place->length - 1 : 0;
  if (more > sizeof waves - 1)
    more = sizeof waves - 1;
  snprintf(to, size, "\n%*s^%.*s", (int)column, "", (int)more, waves);
}

enum pkgimg_status fail_place(struct pkgimg_error *error, const struct place *place, const char *format, ...)
{
  char text[320], picture[2 * WINDOW + 160];
  size_t column;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  make_harmless(text);
  size_t length = append_window(picture, sizeof picture, place, &column);
  append_mark(picture + length, sizeof picture - length, place, column);
  enum pkgimg_status status = fail_name(error, PKGIMG_INVALID_ARGUMENT, NULL, place->what, "%s%s", text, picture);
  if (error)
    error->offset = place->at;
  return status;
}

// Levenshtein distance, one row at a time.
static unsigned edits(const char *a, size_t a_length, const char *b, size_t b_length)
{
  unsigned row[LONGEST_WORD + 1];
  for (unsigned j = 0; j <= b_length; j++)
    row[j] = j;
  for (unsigned i = 1; i <= a_length; i++) {
    unsigned diagonal = row[0];
    row[0] = i;
    for (unsigned j = 1; j <= b_length; j++) {
      unsigned above = row[j], least = diagonal + (a[i - 1] != b[j - 1]);
      least = above + 1 < least ? above + 1 : least;
      row[j] = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
      diagonal = above;
    }
  }
  return row[b_length];
}

void guess_offer(struct guess *guess, const char *name)
{
  size_t length = strlen(name);
  if (length > LONGEST_WORD || guess->length > LONGEST_WORD || guess->length < 3)
    return;
  unsigned distance = edits(guess->word, guess->length, name, length);
  bool closer = !guess->best || distance < guess->distance ||
                (distance == guess->distance && length == guess->length && strlen(guess->best) != length);
  if (distance <= 2 && closer) {
    guess->best = name;
    guess->distance = distance;
  }
}

struct guess_text guess_text(const struct guess *guess)
{
  struct guess_text result = {""};
  if (guess->best)
    snprintf(result.text, sizeof result.text, "; did you mean \"%s\"?", guess->best);
  return result;
}
