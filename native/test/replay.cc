// Programs that the library recorded, with what the reference backend computed: so that they run under sanitizers.
// test/support/replay.ts writes the file.
//
// The file is a sequence of little-endian 32-bit words: magic, number of cases; then each case as
//   name (bytes), words (count, words), literals (bytes), number of buffers and each one's contents before (bytes),
//   number of expectations and each one as buffer, dtype, relative and absolute tolerance (float32), contents (bytes).
// Bytes are a count, then the bytes, padded with zeros to a whole word.
#include "test/replay.h"

#include <cstdio>
#include <string>

#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr int32_t kReplayMagic = 0x47565250;

class ReplayFile {
 public:
  bool open(const char* path) {
    std::FILE* const file = std::fopen(path, "rb");
    if (file == nullptr) return false;
    int32_t word;
    while (std::fread(&word, sizeof word, 1, file) == 1) words_.push_back(word);
    std::fclose(file);
    return true;
  }

  bool is_whole() const { return is_whole_ && at_ == words_.size(); }
  bool ok() const { return is_whole_; }

  int32_t word() {
    if (at_ < words_.size()) return words_[at_++];
    is_whole_ = false;
    return 0;
  }

  Words words(size_t count) {
    if (count > words_.size() - at_) {
      is_whole_ = false;
      return {};
    }
    at_ += count;
    return Words(words_.begin() + (at_ - count), words_.begin() + at_);
  }

  Bytes bytes() {
    const auto count = static_cast<uint32_t>(word());
    Bytes bytes = bytes_of(words((size_t{count} + 3) / 4));
    bytes.resize(is_whole_ ? count : 0);
    return bytes;
  }

  float real() {
    const int32_t bits = word();
    return float_of_bits(static_cast<uint32_t>(bits));
  }

 private:
  Words words_;
  size_t at_ = 0;
  bool is_whole_ = true;
};

struct Expectation {
  int32_t buffer;
  DType dtype;
  float relative, absolute;
  Bytes contents;
};

struct Case {
  std::string name;
  Words words;
  Bytes literals;
  std::vector<Bytes> buffers;
  std::vector<Expectation> expectations;
};

Case read_case(ReplayFile& file) {
  Case result;
  const Bytes name = file.bytes();
  result.name.assign(name.begin(), name.end());
  result.words = file.words(static_cast<uint32_t>(file.word()));
  result.literals = file.bytes();
  for (int32_t left = file.word(); left > 0 && file.ok(); --left) result.buffers.push_back(file.bytes());
  for (int32_t left = file.word(); left > 0 && file.ok(); --left) {
    Expectation expectation;
    expectation.buffer = file.word();
    expectation.dtype = static_cast<DType>(file.word());
    expectation.relative = file.real();
    expectation.absolute = file.real();
    expectation.contents = file.bytes();
    result.expectations.push_back(expectation);
  }
  return result;
}

bool is_expected(const Expectation& expectation, const Bytes& actual) {
  if (expectation.dtype != DType::k_float32) return actual == expectation.contents;
  const auto values = values_of<float>(actual), wanted = values_of<float>(expectation.contents);
  if (values.size() != wanted.size()) return false;
  for (size_t i = 0; i < values.size(); ++i) {
    const double tolerance = expectation.absolute + expectation.relative * std::fabs(static_cast<double>(wanted[i]));
    if (!is_near(values[i], wanted[i], tolerance)) return false;
  }
  return true;
}

// Says what went wrong, or nothing.
std::string run_case(const Case& c, const KernelTable& table, int threads, bool has_new_states) {
  const Outcome outcome = run(c.words, c.literals, c.buffers, table, threads, has_new_states);
  if (!outcome.is_prepared) return "refused: " + outcome.error;
  if (!outcome.has_run) return "ended by an index out of range";
  for (const Expectation& expectation : c.expectations) {
    const size_t buffer = expectation.buffer;
    if (buffer >= outcome.buffers.size()) return "expects a buffer that does not exist";
    if (!is_expected(expectation, outcome.buffers[buffer])) return "differs in buffer " + std::to_string(buffer);
  }
  return "";
}

bool passes(const Case& c) {
  bool result = true;
  for_each_table([&](const KernelTable& table) {
    for (const int threads : {1, 2}) {
      for (const bool has_new_states : {false, true}) {
        const std::string fault = run_case(c, table, threads, has_new_states);
        if (fault.empty()) continue;
        std::printf("FAILED %s on %s with %d threads: %s\n", c.name.c_str(), table.isa, threads, fault.c_str());
        result = false;
      }
    }
  });
  return result;
}

}  // namespace

int replay(const char* path) {
  ReplayFile file;
  if (!file.open(path) || file.word() != kReplayMagic) {
    std::printf("replay: expected a file of recorded cases, got %s\n", path);
    return 1;
  }
  int passed = 0, failed = 0;
  for (int32_t left = file.word(); left > 0 && file.ok(); --left) {
    const Case c = read_case(file);
    file.ok() && passes(c) ? ++passed : ++failed;
  }
  if (!file.is_whole()) {
    std::printf("replay: expected a whole file, got a part or more of %s\n", path);
    ++failed;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace galvani::test
