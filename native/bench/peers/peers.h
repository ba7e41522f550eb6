// Matrix products of other libraries, all in this process: OpenBLAS and BLIS, which export the same names and so are
// opened at run time, each in a scope of its own, and oneDNN, by its sgemm and by its matmul primitive.
#pragma once

#include <memory>
#include <vector>

#include "bench/multiplication.h"

namespace galvani {

struct Operands {
  const float* a;
  const float* b;
  float* c;
};

class Peer {
 public:
  virtual ~Peer() = default;
  virtual const char* name() const = 0;
  virtual void set_threads(int threads) = 0;
  // What a caller does once per shape, outside of the time that is measured.
  virtual void prepare(const Multiplication& multiplication, const Operands& operands) = 0;
  virtual void run() = 0;
};

// Those that are there, restricted to AVX2 or told that AVX-512 is wanted: by environment variables, which they read
// once, so that this must come before anything else that uses them.
std::vector<std::unique_ptr<Peer>> open_peers(bool has_avx512);

}  // namespace galvani
