// From here on code is compiled for AVX2 and FMA. Include every standard header before: an inline function that is
// first seen inside a region is compiled for it, and the linker may keep that copy for everybody.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
