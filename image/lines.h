// SPDX-License-Identifier: MIT
//
// Where things stand in the sources, by the debug information of a linked file.
#ifndef IMAGE_LINES_H
#define IMAGE_LINES_H

#include "base/reader.h"

#include <stdbool.h>

struct lines;

/// NULL if the file, which outlives the result, has no debug information.
struct lines *lines_open(struct span file);
void lines_close(struct lines *lines);

struct line {
  const char *function;  ///< NULL: not known
  const char *file;      ///< NULL: not known
  int number;
};

/// The calls that an instruction at an address (as linked) belongs to, innermost first: functions that were
/// inlined, then the one that they are part of. Returns how many there are, at most `most`. Strings live as long
/// as `lines`, which may be NULL.
size_t lines_of_code(struct lines *lines, uint64_t address, struct line *calls, size_t most);

/// Where the variable at an address is declared.
bool lines_of_variable(struct lines *lines, uint64_t address, struct line *line);

#endif
