// SPDX-License-Identifier: MIT
//
// What the sources of a package may say to the build. Plain compilers accept it too.
#ifndef PKGIMG_PACKAGE_H
#define PKGIMG_PACKAGE_H

#ifdef __cplusplus
typedef bool pkgimg_bool;
extern "C" {
#else
typedef _Bool pkgimg_bool;
#endif

/// Front ends that emit bounds checks guard each one with a call of this function, a constant of
/// every build: `i1 @pkgimg.check_bounds(i1 asked)` in LLVM IR. It is `asked` with
/// --check-bounds=auto, true with yes, false with no, and costs nothing at run time.
pkgimg_bool pkgimg_check_bounds(pkgimg_bool asked) __asm__("pkgimg.check_bounds") __attribute__((const));

/// Whether a check that the source may leave out (`asked` false) or wants (true) is to be made:
///     if (PKGIMG_CHECK_BOUNDS(1) && index >= count) abort();
#define PKGIMG_CHECK_BOUNDS(asked) pkgimg_check_bounds(asked)

/// Give a function bodies for every target of the build (PKGIMG_CLONE), or only the baseline's
/// (PKGIMG_NO_CLONE), whatever it contains.
#define PKGIMG_CLONE    __attribute__((annotate("pkgimg.clone")))
#define PKGIMG_NO_CLONE __attribute__((annotate("pkgimg.no_clone")))

/// Whether the processor that a body is compiled for has a feature (LLVM's name, a string literal): a
/// constant in each body, never a test at run time. In IR: `i1 @pkgimg.cpu_has.FEATURE()`.
///     if (PKGIMG_CPU_HAS("popcnt")) ...
#define PKGIMG_CPU_HAS(feature)          PKGIMG_CPU_HAS_(feature, __COUNTER__)
#define PKGIMG_CPU_HAS_(feature, number) PKGIMG_CPU_HAS_IN(feature, number)
#define PKGIMG_CPU_HAS_IN(feature, number)                                                                        \
  __extension__({                                                                                                 \
    pkgimg_bool pkgimg_cpu_query_##number(void) __asm__("pkgimg.cpu_has." feature) __attribute__((const));        \
    pkgimg_cpu_query_##number();                                                                                  \
  })

#ifdef __cplusplus
}
#endif
#endif
