#include "executor/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "base/numbers.h"

namespace galvani {
namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;

// The system promises more memory than it has, and ends the process that takes it at its word.
int64_t physical_memory() { return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE); }

uint8_t* allocate(int64_t bytes) {
  if (bytes > physical_memory()) return nullptr;
  const bool is_huge = bytes >= 2 * kHugePage;
  const int64_t alignment = is_huge ? kHugePage : kCacheLine;
  const int64_t rounded = round_up(bytes, alignment);
  void* data = nullptr;
  if (posix_memalign(&data, alignment, rounded == 0 ? alignment : rounded) != 0) return nullptr;
#if defined(__linux__)
  if (is_huge) madvise(data, rounded, MADV_HUGEPAGE);
#endif
  return static_cast<uint8_t*>(data);
}

}  // namespace

Block::Block(int64_t bytes) : data_(allocate(bytes)), bytes_(bytes) {}
Block::~Block() { std::free(data_); }

std::shared_ptr<Block> SharedBlock::get(int64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<Block> block = newest_.lock();
  if (block != nullptr && block->bytes() >= bytes) return block;
  block = std::make_shared<Block>(bytes);
  if (block->data() == nullptr) return nullptr;
  newest_ = block;
  return block;
}

}  // namespace galvani
