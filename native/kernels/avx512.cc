#if defined(__x86_64__)

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
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernel_table.h"

#include "simd/begin_avx512.h"

namespace galvani {
namespace avx512 {
#include "simd/avx512.h"

#include "kernels/table.h"
}  // namespace avx512

constexpr KernelTable kAvx512Kernels = avx512::make_table("avx512");

}  // namespace galvani

#include "simd/end_region.h"

#endif
