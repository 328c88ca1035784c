// SPDX-License-Identifier: MIT
//
// Both packages as one, each with its own static functions.
#define has_popcnt kernels_has_popcnt
#define has_avx kernels_has_avx
#define has_avx2 kernels_has_avx2
#define has_avx512f kernels_has_avx512f
#define helper kernels_own_helper
#include "kernels.c"
#undef has_popcnt
#undef has_avx
#undef has_avx2
#undef has_avx512f
#undef helper
#include "kernels-main.c"
