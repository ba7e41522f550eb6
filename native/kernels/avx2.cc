#if defined(__x86_64__)

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernel_table.h"

#include "simd/begin_avx2.h"

namespace galvani {
namespace avx2 {
#define GALVANI_SIMD "simd/avx2.h"
#include "kernels/table.h"
}  // namespace avx2

constexpr KernelTable kAvx2Kernels = avx2::make_table("avx2");

}  // namespace galvani

#include "simd/end_region.h"

#endif
