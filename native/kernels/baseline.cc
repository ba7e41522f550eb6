// The kernels that run on every machine of the architecture: the compiler's default target, no region.
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernel_table.h"

namespace galvani {
namespace baseline {
#define GALVANI_SIMD "simd/baseline.h"
#include "kernels/table.h"
}  // namespace baseline

constexpr KernelTable kBaselineKernels = baseline::make_table("baseline");

}  // namespace galvani
