// SPDX-License-Identifier: MIT
//
// How a failure leaves the process: one line on standard error and an exit code. The only place
// that maps a status to a number; the manual pages repeat the table.
#ifndef CLI_FAILURE_H
#define CLI_FAILURE_H

#include <pkgimg/error.h>

enum exit_code {
  EXIT_FINE = 0,
  EXIT_BAD = 1,        ///< verify found a bad file; or a failure without a number of its own
  EXIT_USAGE = 2,      ///< the command line is wrong
  EXIT_NOT_FOUND = 3,  ///< a file or a dependency is not there
  EXIT_BROKEN = 4,     ///< a file is no image, or a damaged or foreign one
  EXIT_REFUSED = 5,    ///< undefined symbol, ring of dependencies, unsupported content
  EXIT_BUILD = 6,      ///< the compiler, the linker or the manifest
  EXIT_SYSTEM = 7,     ///< a system call failed, or memory is gone
  // `run` hands the program's own result on, and has the numbers of env(1) for failures before it.
  EXIT_RUN_FAILED = 125,
  EXIT_RUN_BROKEN = 126,
  EXIT_RUN_NOT_FOUND = 127,
};

enum exit_code exit_code_of(enum pkgimg_status status);
enum exit_code run_exit_code_of(enum pkgimg_status status);

/// Print `pkgimg: TEXT (STATUS)`.
void print_error(const struct pkgimg_error *error);
/// The same for a mistake on the command line; returns EXIT_USAGE.
enum exit_code usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/// The same for a failed call that left errno; returns the exit code.
enum exit_code system_error(const char *what);
/// Flush standard output and say so if what was written to it is lost; else returns `code`.
enum exit_code finish_output(enum exit_code code);

#endif
