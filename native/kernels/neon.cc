// No target region: Advanced SIMD is part of every arm64.
#if defined(__aarch64__)

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernel_table.h"

namespace galvani {
namespace neon {
#define GALVANI_SIMD "simd/neon.h"
#include "kernels/table.h"
}  // namespace neon

constexpr KernelTable kNeonKernels = neon::make_table("neon");

}  // namespace galvani

#endif
