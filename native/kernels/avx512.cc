#if defined(__x86_64__)

#if defined(GALVANI_EMULATED_AVX512)
#include "test/emulated_avx512.h"
#else
#include "simd/avx512_intrinsics.h"
#endif
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernel_table.h"

#if !defined(GALVANI_EMULATED_AVX512)
#include "simd/begin_avx512.h"
#endif

namespace galvani {
namespace avx512 {
#define GALVANI_SIMD "simd/avx512.h"
#include "kernels/table.h"
}  // namespace avx512

constexpr KernelTable kAvx512Kernels = avx512::make_table("avx512");

}  // namespace galvani

#if !defined(GALVANI_EMULATED_AVX512)
#include "simd/end_region.h"
#endif

#endif
