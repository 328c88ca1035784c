// SPDX-License-Identifier: MIT
//
// The one vocabulary of failure: a status that says what kind, and a fixed struct that says
// where. Nothing here allocates, so a failure can be reported when memory is gone.
#ifndef PKGIMG_ERROR_H
#define PKGIMG_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(PKGIMG_BUILDING)
#define PKGIMG_PUBLIC __attribute__((visibility("default")))
#else
#define PKGIMG_PUBLIC
#endif
#define PKGIMG_MUST_USE __attribute__((warn_unused_result))

/// What kind of failure. The numbers are part of the ABI: new kinds are added at the end.
enum pkgimg_status {
  PKGIMG_OK = 0,
  PKGIMG_INVALID_ARGUMENT,  ///< the caller's mistake: a NULL, an unknown option, a bad value
  PKGIMG_NO_MEMORY,         ///< malloc or mmap refused
  PKGIMG_SYSTEM,            ///< a system call failed; os_error holds errno
  PKGIMG_NOT_FOUND,         ///< a file or a dependency is not where it was looked for
  PKGIMG_TRUNCATED,         ///< the file ends before the bytes that it announces
  PKGIMG_MALFORMED,         ///< the bytes contradict the format
  PKGIMG_NOT_AN_IMAGE,      ///< a file of another kind
  PKGIMG_WRONG_MACHINE,     ///< made for another processor, class or byte order
  PKGIMG_WRONG_VERSION,     ///< made by another version of the format
  PKGIMG_MISMATCH,          ///< a build id or a hash is not the expected one
  PKGIMG_CYCLE,             ///< dependencies form a ring
  PKGIMG_UNDEFINED_SYMBOL,  ///< no dependency and no library of the host defines it
  PKGIMG_UNSUPPORTED,       ///< well-formed, but something that an image may not contain
  PKGIMG_COMPILE,           ///< the front end or LLVM refused a source
  PKGIMG_LINK,              ///< lld refused the objects
  PKGIMG_MANIFEST,          ///< the manifest cannot be understood
  PKGIMG_BUSY,              ///< the object is still in use
  PKGIMG_SYSIMAGE,          ///< does not fit its system image: a higher baseline; or there are two
  PKGIMG_CAPTURE,           ///< what initialisation leaves cannot be stored: it is not the same in every run, or fails
  PKGIMG_NO_METHOD,         ///< no method of the function fits the types of the arguments
  PKGIMG_AMBIGUOUS,         ///< several methods (or types of a name) fit, and none of them better than the others
  PKGIMG_REDEFINED,         ///< another loaded image has a method for the same types
  PKGIMG_STATUS_COUNT
};

/// Where and what. The caller owns it; a successful call leaves it untouched. `text` is complete
/// and readable by itself; the other members are for programs.
struct pkgimg_error {
  enum pkgimg_status status;
  int os_error;       ///< errno of the failing call, or 0
  uint64_t offset;    ///< byte offset in `file`, or PKGIMG_NO_OFFSET
  uint64_t expected;  ///< the value that the format, or the dependent image, asks for
  uint64_t found;     ///< the value that stands there
  char file[256];     ///< the file concerned, "" if none; the end of a longer path
  char name[128];     ///< the symbol, dependency or option concerned, "" if none
  char text[768];     ///< `file: at offset 0x40: what (expected 2, found 1)`
};
#define PKGIMG_NO_OFFSET UINT64_MAX

/// The identifier of a status in capital letters, such as "TRUNCATED". Never NULL.
PKGIMG_PUBLIC const char *pkgimg_status_name(enum pkgimg_status status);

#ifdef __cplusplus
}
#endif
#endif
