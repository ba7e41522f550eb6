// Products of int8 on AVX-512 with VNNI.
#if defined(__x86_64__)

#if defined(GALVANI_EMULATED_AVX512)
#include "kernels/kernel_table.h"

namespace galvani {
constexpr QuantizedKernels kAvx512VnniKernels = {};
}  // namespace galvani
#else

#include <stddef.h>
#include <stdint.h>
#include "simd/avx512_intrinsics.h"

#include "kernels/kernel_table.h"

#include "simd/begin_avx512_vnni.h"

namespace galvani {
namespace avx512::vnni {
#define GALVANI_VNNI
#define GALVANI_SIMD "simd/avx512.h"
#include "kernels/quantized.h"
}  // namespace avx512::vnni

constexpr QuantizedKernels kAvx512VnniKernels = avx512::vnni::kQuantizedKernels;

}  // namespace galvani

#include "simd/end_region.h"

#endif
#endif
