// SPDX-License-Identifier: MIT
//
// Stands in front of libstdc++'s configuration in the C++ sources of packages: std::string's functions are compiled
// into the package instead of being those of libstdc++.so. A string may be a captured object, which only the operator
// delete that the package imports knows to leave alone; the library's own would hand it to free.
//
// libstdc++ has this setting itself, for _GLIBCXX_ASSERTIONS and for C++20. Templates of streams stay the library's:
// there, the addresses of static members are identities.
#include_next <bits/c++config.h>
#if _GLIBCXX_EXTERN_TEMPLATE > 0
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE -1
#endif
