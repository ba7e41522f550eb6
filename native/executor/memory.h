// Scratch memory: arenas, and what instructions need while they run.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

namespace galvani {

// An uninitialised block that starts at a cache line. `data()` is null where there was not enough memory.
class Block {
 public:
  explicit Block(int64_t bytes);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  uint8_t* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  uint8_t* data_;
  int64_t bytes_;
};

// One block for all executables of an environment, whose runs never overlap. It grows with the largest; executables
// that hold an older, smaller one keep that. Threads may ask at the same time.
class SharedBlock {
 public:
  // At least `bytes` bytes, or null.
  std::shared_ptr<Block> get(int64_t bytes);

 private:
  std::mutex mutex_;
  std::weak_ptr<Block> newest_;
};

}  // namespace galvani
