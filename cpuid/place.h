// SPDX-License-Identifier: MIT
//
// Errors in strings that people write: the string and a mark under the place, in one text:
//
//     PKGIMG_CPU_TARGET: unknown feature "avx3"; did you mean "avx2"?
//       haswell,avx3;skylake
//               ^~~~
#ifndef CPUID_PLACE_H
#define CPUID_PLACE_H

#include "base/error.h"

/// A part of a string.
struct place {
  const char *what;  ///< names the string: an option or a variable
  const char *text;  ///< the whole string
  size_t at, length;
};

/// Fails with PKGIMG_INVALID_ARGUMENT; `error->offset` is the place, `error->name` is `what`.
enum pkgimg_status fail_place(struct pkgimg_error *error, const struct place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/// The closest of names to a word, offered one after the other; at most two edits away.
struct guess {
  const char *word;
  size_t length;
  const char *best;
  unsigned distance;
};
void guess_offer(struct guess *guess, const char *name);
/// `; did you mean "avx2"?` or "".
struct guess_text {
  char text[64];
};
struct guess_text guess_text(const struct guess *guess);

#endif
