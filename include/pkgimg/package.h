// SPDX-License-Identifier: MIT
//
// What the sources of a package may say to the build. Plain compilers accept it too.
#ifndef PKGIMG_PACKAGE_H
#define PKGIMG_PACKAGE_H

#ifdef __cplusplus
extern "C" {
#endif

/// Front ends that emit bounds checks guard each one with a call of this function, a constant of
/// every build: `i1 @pkgimg.check_bounds(i1 asked)` in LLVM IR. It is `asked` with
/// --check-bounds=auto, true with yes, false with no, and costs nothing at run time.
_Bool pkgimg_check_bounds(_Bool asked) __asm__("pkgimg.check_bounds") __attribute__((const));

/// Whether a check that the source may leave out (`asked` false) or wants (true) is to be made:
///     if (PKGIMG_CHECK_BOUNDS(1) && index >= count) abort();
#define PKGIMG_CHECK_BOUNDS(asked) pkgimg_check_bounds(asked)

#ifdef __cplusplus
}
#endif
#endif
