// From here on code is compiled for AVX2 with VNNI. Include every standard header before: see begin_avx2.h.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,avxvnni,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,avxvnni,fma")
#endif
