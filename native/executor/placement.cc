#include "executor/placement.h"

#include <algorithm>

namespace galvani {
namespace {

constexpr double kBytesOfLine = 64;
// Turns that change sides together, as one between two others would have to send its data to and fro.
constexpr size_t kMostTogether = 8;
constexpr int kRounds = 3;
// What takes longer is divided in any case.
constexpr double kLongNanoseconds = 300'000;
// What reads more is not looked at again for each that writes it.
constexpr size_t kMostReads = 64;

class Placement {
 public:
  Placement(const std::vector<Turn>& turns, const ThreadCosts& costs, int threads)
      : turns_(turns), costs_(costs), threads_(threads), is_divided_(turns.size()), readers_(turns.size()) {
    for (size_t i = 0; i < turns.size(); ++i) {
      is_divided_[i] = turns[i].is_divisible;
      const bool is_free = turns[i].is_divisible && turns[i].nanoseconds > 0 && turns[i].nanoseconds < kLongNanoseconds;
      if (is_free) free_.push_back(i);
      if (turns[i].reads.size() > kMostReads) continue;
      for (const TurnRead& read : turns[i].reads) readers_[read.writer].push_back(i);
    }
  }

  std::vector<bool> choose() {
    for (int round = 0; round < kRounds && change_some(); ++round) {
    }
    return std::move(is_divided_);
  }

 private:
  // Moves free turns that follow each other to the other side wherever that makes the whole cheaper.
  bool change_some() {
    bool has_changed = false;
    for (size_t first = 0; first < free_.size(); ++first) {
      for (size_t count = std::min(kMostTogether, free_.size() - first); count >= 1; --count) {
        const double before = cost_around(first, count);
        set(first, count, !is_divided_[free_[first]]);
        if (cost_around(first, count) < before) {
          has_changed = true;
          break;
        }
        restore(first, count);
      }
    }
    return has_changed;
  }

  void set(size_t first, size_t count, bool is_divided) {
    saved_.clear();
    for (size_t i = first; i < first + count; ++i) {
      saved_.push_back(is_divided_[free_[i]]);
      is_divided_[free_[i]] = is_divided;
    }
  }

  void restore(size_t first, size_t count) {
    for (size_t i = 0; i < count; ++i) is_divided_[free_[first + i]] = saved_[i];
  }

  // Of some free turns and of all that read what they write.
  double cost_around(size_t first, size_t count) {
    met_.clear();
    for (size_t i = first; i < first + count; ++i) {
      met_.push_back(free_[i]);
      met_.insert(met_.end(), readers_[free_[i]].begin(), readers_[free_[i]].end());
    }
    std::sort(met_.begin(), met_.end());
    met_.erase(std::unique(met_.begin(), met_.end()), met_.end());
    double cost = 0;
    for (const size_t i : met_) cost += cost_of(i);
    return cost;
  }

  double cost_of(size_t i) const {
    const Turn& turn = turns_[i];
    double cost = is_divided_[i] ? turn.nanoseconds / threads_ + costs_.fork_join : turn.nanoseconds;
    for (const TurnRead& read : turn.reads) {
      cost += fetched_share(i, read) * static_cast<double>(read.bytes) / kBytesOfLine * costs_.line;
    }
    return cost;
  }

  // Of what is read: how much of it the thread that fetches most has to fetch from others.
  double fetched_share(size_t i, const TurnRead& read) const {
    const double own = 1.0 / threads_;
    if (is_divided_[read.writer]) return is_divided_[i] && read.is_in_step ? 0 : 1 - own;
    if (!is_divided_[i]) return 0;
    return read.is_in_step ? own : 1;
  }

  const std::vector<Turn>& turns_;
  const ThreadCosts costs_;
  const int threads_;
  std::vector<bool> is_divided_;
  std::vector<std::vector<size_t>> readers_;
  std::vector<size_t> free_;
  std::vector<bool> saved_;
  std::vector<size_t> met_;
};

}  // namespace

std::vector<bool> choose_divided(const std::vector<Turn>& turns, const ThreadCosts& costs, int threads) {
  return Placement(turns, costs, threads).choose();
}

}  // namespace galvani
