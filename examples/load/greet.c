// SPDX-License-Identifier: MIT
//
// A package of one function. Pointers to its own data, calls of libc and a function that runs
// when the package is initialised are all that a loader has to get right.
#include <stdio.h>
#include <stdlib.h>

static const char *const greetings[] = {"Good morning", "Good evening"};
static unsigned hour;
static char line[128];

void greet_start(void) {
  const char *value = getenv("GREET_HOUR");
  hour = value ? (unsigned)strtoul(value, NULL, 10) : 9;
}

const char *greet(const char *name) {
  snprintf(line, sizeof line, "%s, %s.", greetings[hour >= 12], name);
  return line;
}
