// What is done with each part of a product as soon as it is there, by the thread that has computed it: the instructions
// that follow it element by element, such as the derivative of an activation or an optimizer's update. The part is then
// still in the thread's cache, and where an update is made of it, the parameter's rows stay with the same thread step
// after step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "gemm/gemm.h"
#include "program/program.h"

namespace galvani {

struct Location;
struct Run;

// An instruction that can be one. All it reads of what other instructions of the same product have written is at the
// elements that it writes.
class Tail {
 public:
  virtual ~Tail() = default;
  // Once, before the product; run.workspace is the tail's own.
  virtual void begin(Run& run) const = 0;
  virtual void run_part(const Run& run, const GemmPart& part, const Location& product, int thread) const = 0;
  virtual int64_t tail_workspace_bytes(int threads) const = 0;
  // Parts are to begin at multiples of so many elements.
  virtual int64_t unit() const { return 1; }
  // Whether it reads the product where that is to be, and not what the part says.
  virtual bool needs_c() const { return true; }
};

// Calls join(product, i) for each instruction i that may run in the parts of a product before it, after those that were
// joined to it already, and takes it for one more of them if that gives true.
void find_tails(const Program& program, const std::function<bool(size_t, size_t)>& join);

// Whether an instruction reads its input at the elements that it writes.
bool is_read_in_step(const Program& program, const Instruction& instruction, size_t input);

}  // namespace galvani
