// SPDX-License-Identifier: MIT
//
// Some hundred compiled regular expressions of Oniguruma, as a scanner of logs or mail has them. A request
// is a text; the answer lists the expressions that are found in it.
//
// What is different in each process, and what makes it the same: the table of callouts is hashed by the
// address of an encoding. No expression here has callouts, so that table is freed; at the end, since the order
// in which it frees its parts would decide where later objects go.
#include "answers.h"

#include <err.h>
#include <oniguruma.h>
#include <stdio.h>
#include <string.h>

enum { VARIANTS = 16 };

/// %d stands for a number that each variant has its own of.
static const char *const shapes[] = {
    "\\b%d(?<unit>ms|us|ns|s)\\b",
    "(?i)error\\s+(?:code\\s*)?[:=]?\\s*0*%d\\b",
    "(?<![0-9.])%d\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}(?![0-9.])",
    "^(?<key>[[:alpha:]_]\\w{0,30})\\s*=\\s*(?<value>\\d{%d})$",
    "(?x) <(?<tag>h%d) [^>]*> (?<body> .*?) </\\k<tag>>",
    "(?<pair>\\((?:[^()]|\\g<pair>){%d}\\))",
    "\\p{Lu}\\p{Ll}{%d}\\b",
    "(?:[a-z]+\\.){2}%d(?=\\s|$)",
    "(?i)stra(?:ß|ss)e\\s+%d\\b",
    "(\\w)\\1{%d}",
    "\\A(?>a+|b*)+%d\\z",
    "[\\x{3b1}-\\x{3c9}&&[^\\x{3c0}]]{%d}",
    "(?=.*\\d)(?=.*[a-z]).{%d}$",
    "\\$(?:%d|\\d{1,3}(?:,\\d{3})+)(?:\\.\\d\\d)?",
    "(?m)begin .{0,%d} end",
    "\\R\\X{%d}|\\bversion %d\\b",
};
enum { SHAPES = sizeof shapes / sizeof *shapes, PATTERNS = SHAPES * VARIANTS };

/// Of Oniguruma's own header regparse.h.
extern int onig_global_callout_names_free(void);

static regex_t *patterns[PATTERNS];
static OnigRegion *region;

static const OnigUChar *bytes(const char *text)
{
  return (const OnigUChar *)text;
}

static regex_t *compile(unsigned number)
{
  char text[128];
  OnigErrorInfo info;
  regex_t *pattern;
  unsigned variant = number % VARIANTS + 1;
  snprintf(text, sizeof text, shapes[number / VARIANTS], variant, variant);
  int code = onig_new(&pattern, bytes(text), bytes(text) + strlen(text), ONIG_OPTION_CAPTURE_GROUP,
                      ONIG_ENCODING_UTF8, ONIG_SYNTAX_ONIGURUMA, &info);
  if (code != ONIG_NORMAL)
    errx(1, "%s: error %d of Oniguruma", text, code);
  return pattern;
}

void warm(void)
{
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  if (region)
    return;
  onig_initialize(encodings, 1);
  for (unsigned i = 0; i < PATTERNS; i++)
    patterns[i] = compile(i);
  region = onig_region_new();
  onig_global_callout_names_free();
}

bool is_warm(void)
{
  return region != NULL;
}

static int search(unsigned number, const char *text)
{
  const OnigUChar *end = bytes(text) + strlen(text);
  return onig_search(patterns[number], bytes(text), end, bytes(text), end, region, ONIG_OPTION_NONE);
}

static int print_name(const OnigUChar *name, const OnigUChar *end, int count, int *groups, regex_t *pattern,
                      void *text)
{
  (void)pattern;
  for (int i = 0; i < count; i++)
    if (region->beg[groups[i]] >= 0)
      printf(" %.*s=%.*s", (int)(end - name), (const char *)name, region->end[groups[i]] - region->beg[groups[i]],
             (const char *)text + region->beg[groups[i]]);
  return 0;
}

void answer(const char *request)
{
  char text[512];
  snprintf(text, sizeof text, "%s", request);
  for (unsigned i = 0; i < PATTERNS; i++)
    if (search(i, text) >= 0) {
      printf("  %u.%u %d-%d", i / VARIANTS, i % VARIANTS + 1, region->beg[0], region->end[0]);
      onig_foreach_name(patterns[i], print_name, text);
      putchar('\n');
    }
}

uint64_t answer_quietly(void)
{
  uint64_t sum = 0;
  for (unsigned i = 0; i < 2 * VARIANTS; i++)
    if (search(i, "fatal: Error code: 07 after 12ms") >= 0)
      sum += (uint64_t)i << region->beg[0];
  return sum;
}

void finish(void)
{
  for (unsigned i = 0; i < PATTERNS; i++)
    onig_free(patterns[i]);
  onig_region_free(region, 1);
  region = NULL;
  onig_end();
}
