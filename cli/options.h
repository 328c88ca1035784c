// SPDX-License-Identifier: MIT
//
// What getopt_long leaves open: which option was wrong, and values that must be one of a few.
// Every mistake is printed here, with the option and the value; the callers only stop.
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/// The options of a command. `letters` begins with "-:" so that arguments come in order and
/// errors are left to us; ids of options without a letter start at OPTION_LONG.
struct options {
  const char *letters;
  const struct option *names;
};
enum {
  OPTION_ARGUMENT = 1,  ///< not an option: optarg is the next argument
  OPTION_LONG = 256,
};

/// getopt_long without its messages; options_begin comes before the first call.
void options_begin(void);
int options_next(const struct options *options, int argc, char **argv);

/// Print what is wrong after options_next returned '?' or ':'.
void options_mistake(const struct options *options, int result, char **argv);

/// The long name of an option, without dashes.
const char *option_name(const struct options *options, int id);

struct choice {
  const char *name;  ///< NULL ends a list
  int value;
};
/// `option` is a long name, for the message. Print the possible values if `text` is none of them.
bool option_choice(const char *option, const struct choice *choices, const char *text, int *value);
/// A width of vectors that processors have, for --max-vector-width.
bool option_vector_width(const char *text, unsigned *bits);
/// A decimal number up to `limit`.
bool option_number(const char *option, const char *text, unsigned limit, unsigned *value);

#endif
