#include "executor/memory.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "base/numbers.h"
#include "runtime/system.h"

namespace galvani {
namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;

// A block is replaced by a smaller one where that is worth its first touch.
constexpr int64_t kShrinkingFactor = 2;
constexpr int64_t kSmallBlock = int64_t{1} << 20;

uint8_t* allocate(int64_t bytes) {
  // The system promises more memory than it has, and ends the process that takes it at its word.
  if (bytes > physical_memory()) return nullptr;
  const bool is_huge = bytes >= 2 * kHugePage;
  const int64_t alignment = is_huge ? kHugePage : kCacheLine;
  const int64_t rounded = std::max(round_up(bytes, alignment), alignment);
  void* const data = allocate_aligned(rounded, alignment);
  if (is_huge && data != nullptr) suggest_huge_pages(data, rounded);
  return static_cast<uint8_t*>(data);
}

}  // namespace

Block::Block(int64_t bytes) : data_(allocate(bytes)), bytes_(bytes) {}
Block::~Block() { free_aligned(data_); }

struct SharedBlock::Room::State {
  mutable std::mutex mutex;
  std::multiset<int64_t> reserved;
  std::shared_ptr<Block> block, second;

  // Takes another block; a run that is under way keeps the one that it has. False where there is no memory for it.
  bool replace(int64_t bytes) {
    auto next = std::make_shared<Block>(bytes);
    if (next->data() == nullptr) return false;
    block = std::move(next);
    return true;
  }
};

SharedBlock::SharedBlock() : state_(std::make_shared<Room::State>()) {}

std::unique_ptr<SharedBlock::Room> SharedBlock::reserve(int64_t bytes) {
  std::lock_guard<std::mutex> lock(state_->mutex);
  if ((state_->block == nullptr || state_->block->bytes() < bytes) && !state_->replace(bytes)) return nullptr;
  state_->reserved.insert(bytes);
  return std::unique_ptr<Room>(new Room(state_, bytes));
}

int64_t SharedBlock::bytes() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->block == nullptr ? 0 : state_->block->bytes();
}

SharedBlock::Room::~Room() {
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->reserved.erase(state_->reserved.find(bytes_));
  if (state_->reserved.empty()) {
    state_->block = state_->second = nullptr;
    return;
  }
  const int64_t most = *state_->reserved.rbegin();
  if (state_->second != nullptr && state_->second->bytes() > most) state_->second = nullptr;
  if (state_->block->bytes() / kShrinkingFactor >= std::max(most, kSmallBlock)) state_->replace(most);
}

std::shared_ptr<Block> SharedBlock::Room::block() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  auto& [mutex, reserved, block, second] = *state_;
  const bool is_free = block.use_count() == 1;
  if (is_free) return block;
  if (second == nullptr || second->bytes() < bytes_) second = std::make_shared<Block>(bytes_);
  return second;
}

}  // namespace galvani
