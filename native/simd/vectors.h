// The vectors of the instruction set that is being compiled: GALVANI_SIMD names their header. Everything that includes
// this, which is all of math/ and kernels/, is included inside the namespace and the target region of that instruction
// set; so it includes nothing from outside, which is to be included before the region (see begin_avx2.h).
#pragma once

#include GALVANI_SIMD

#include "simd/doubles.h"
