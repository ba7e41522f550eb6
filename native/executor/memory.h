// Scratch memory: arenas, and what instructions need while they run.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

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

// One block for all executables of an environment, which run one at a time: as large as the one needs that needs most,
// and smaller again once that is gone. A run in the midst of another has a second block. Copies are the same blocks.
// Threads may ask at the same time.
class SharedBlock {
 public:
  // So many bytes of the block, until it is destroyed.
  class Room {
   public:
    ~Room();
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;
    // The block for one run, which holds it until it ends. Another one while a run has that of all: its data are null
    // where there is not enough memory for it.
    std::shared_ptr<Block> block() const;

   private:
    friend class SharedBlock;
    struct State;
    Room(std::shared_ptr<State> state, int64_t bytes) : state_(std::move(state)), bytes_(bytes) {}

    std::shared_ptr<State> state_;
    int64_t bytes_;
  };

  SharedBlock();
  // Null where there is not enough memory.
  std::unique_ptr<Room> reserve(int64_t bytes);
  int64_t bytes() const;

 private:
  std::shared_ptr<Room::State> state_;
};

}  // namespace galvani
