#if defined(__x86_64__)

#if defined(GALVANI_EMULATED_AVX512)
#include "test/emulated_avx512.h"
#else
// GCC 12 warns of the undefined vectors that its own header uses on purpose (GCC bug 105593).
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
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
