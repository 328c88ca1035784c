// SPDX-License-Identifier: MIT
#include "cli/options.h"

#include "cli/failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void options_begin(void)
{
  opterr = 0;
  optind = 0;  // glibc: forget an earlier scan, and read the flags of `letters` again
}

int options_next(const struct options *options, int argc, char **argv)
{
  return getopt_long(argc, argv, options->letters, options->names, NULL);
}

static bool is_prefix(const struct option *names, const char *text)
{
  size_t length = strcspn(text, "=");
  for (; names->name; names++)
    if (strncmp(names->name, text, length) == 0)
      return true;
  return false;
}

void options_mistake(const struct options *options, int result, char **argv)
{
  const char *last = argv[optind - 1];
  bool is_letter = optopt > 0 && optopt < OPTION_LONG;
  if (result == ':' && is_letter && strncmp(last, "--", 2) != 0)
    usage_error("option -%c needs a value", optopt);
  else if (result == ':')
    usage_error("option %s needs a value", last);
  else if (is_letter && (optopt == ':' || !strchr(options->letters, optopt)))
    usage_error("unknown option -%c", optopt);
  else if (optopt)
    usage_error("option %s takes no value", last);
  else if (is_prefix(options->names, last + 2))
    usage_error("option %s is ambiguous", last);
  else
    usage_error("unknown option %s", last);
}

const char *option_name(const struct options *options, int id)
{
  for (const struct option *option = options->names; option->name; option++)
    if (option->val == id)
      return option->name;
  return "?";
}

bool option_choice(const char *option, const struct choice *choices, const char *text, int *value)
{
  char names[128] = "";
  for (const struct choice *choice = choices; choice->name; choice++) {
    if (strcmp(choice->name, text) == 0) {
      *value = choice->value;
      return true;
    }
    size_t length = strlen(names);
    snprintf(names + length, sizeof names - length, "%s%s", length ? ", " : "", choice->name);
  }
  usage_error("option --%s: \"%s\" is none of: %s", option, text, names);
  return false;
}

bool option_vector_width(const char *text, unsigned *bits)
{
  static const struct choice widths[] = {{"128", 128}, {"256", 256}, {"512", 512}, {NULL, 0}};
  int width = 0;
  if (!option_choice("max-vector-width", widths, text, &width))
    return false;
  *bits = (unsigned)width;
  return true;
}

bool option_number(const char *option, const char *text, unsigned limit, unsigned *value)
{
  char *end;
  unsigned long number = strtoul(text, &end, 10);
  if (strspn(text, "0123456789") == 0 || *end || number > limit) {
    usage_error("option --%s: \"%s\" is no number from 0 to %u", option, text, limit);
    return false;
  }
  *value = (unsigned)number;
  return true;
}
