// Products of int8 on AVX2 with VNNI.
#if defined(__x86_64__)

#include "kernels/kernel_table.h"

// GCC knows these instructions from 11 on, clang from 12 on.
#if (defined(__clang__) && __clang_major__ < 12) || (!defined(__clang__) && __GNUC__ < 11)
namespace galvani {
constexpr QuantizedKernels kAvx2VnniKernels = {};
}  // namespace galvani
#else

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "simd/begin_avx2_vnni.h"

namespace galvani {
namespace avx2::vnni {
#define GALVANI_VNNI
#define GALVANI_SIMD "simd/avx2.h"
#include "kernels/quantized.h"
}  // namespace avx2::vnni

constexpr QuantizedKernels kAvx2VnniKernels = avx2::vnni::kQuantizedKernels;

}  // namespace galvani

#include "simd/end_region.h"

#endif
#endif
