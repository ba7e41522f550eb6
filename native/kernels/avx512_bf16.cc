// The products of bf16 of processors that have AVX512-BF16.
#if defined(__x86_64__)

#include <stddef.h>
#include <stdint.h>
#include "simd/avx512_intrinsics.h"

#include "kernels/kernel_table.h"

#include "simd/begin_avx512_bf16.h"

namespace galvani {
namespace avx512::bf16 {
#define GALVANI_SIMD "simd/avx512.h"
#define GALVANI_BF16_PAIRS
#include "kernels/gemm_rounded.h"
}  // namespace avx512::bf16

constexpr GemmKernels kAvx512Bf16Gemm = avx512::bf16::rounded_gemm_kernels();

}  // namespace galvani

#include "simd/end_region.h"

#endif
