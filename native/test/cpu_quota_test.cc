// CPU quotas out of made-up trees of files.
#include "runtime/cpu_quota.h"

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "test/test.h"

namespace galvani::test {
namespace {

using Files = std::initializer_list<std::pair<const char*, const char*>>;

const char* const kMountV2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
const char* const kMountV1 =
    "22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n"
    "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 master:1 - cgroup cgroup rw,cpu,cpuacct\n";
const char* const kGroupsV1 = "4:memory:/elsewhere\n3:cpu,cpuacct:/jobs/one\n1:name=systemd:/jobs\n";

// A folder of files below /tmp that goes with it.
class Tree {
 public:
  explicit Tree(Files files) {
    if (mkdtemp(root_) == nullptr) fail(__FILE__, __LINE__, "no temporary folder");
    for (const auto& [path, contents] : files) write(std::string(root_) + path, contents);
  }
  ~Tree() {
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) std::remove(path->c_str());
    std::remove(root_);
  }
  const char* root() const { return root_; }

 private:
  void write(const std::string& path, const char* contents) {
    for (size_t i = path.find('/', sizeof root_); i != std::string::npos; i = path.find('/', i + 1)) {
      if (mkdir(path.substr(0, i).c_str(), 0700) == 0) made_.push_back(path.substr(0, i));
    }
    std::FILE* const file = std::fopen(path.c_str(), "w");
    if (file == nullptr) return fail(__FILE__, __LINE__, "cannot write " + path);
    std::fputs(contents, file);
    std::fclose(file);
    made_.push_back(path);
  }

  char root_[sizeof "/tmp/galvani-XXXXXX"] = "/tmp/galvani-XXXXXX";
  std::vector<std::string> made_;
};

double quota_of(Files files) { return cpu_quota(Tree(files).root()); }

TEST(quota_is_that_of_the_groups_of_version_2) {
  const auto of = [](const char* max) {
    return quota_of(
        {{"/proc/self/cgroup", "0::/app\n"}, {"/proc/self/mountinfo", kMountV2}, {"/sys/fs/cgroup/app/cpu.max", max}});
  };
  EXPECT_EQ(of("50000 100000\n"), 0.5);
  EXPECT_EQ(of("150000 100000"), 1.5);
  EXPECT_EQ(of("20000 10000\n"), 2.0);
  EXPECT_EQ(of("max 100000\n"), 0.0);
}

TEST(quota_is_that_of_the_groups_of_version_1) {
  const auto of = [](const char* quota, const char* period) {
    return quota_of({{"/proc/self/cgroup", kGroupsV1},
                     {"/proc/self/mountinfo", kMountV1},
                     {"/sys/fs/cgroup/memory/elsewhere/cpu.cfs_quota_us", "1\n"},
                     {"/sys/fs/cgroup/memory/elsewhere/cpu.cfs_period_us", "1000\n"},
                     {"/sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us", quota},
                     {"/sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_period_us", period}});
  };
  EXPECT_EQ(of("25000\n", "100000\n"), 0.25);
  EXPECT_EQ(of("300000\n", "100000\n"), 3.0);
  EXPECT_EQ(of("-1\n", "100000\n"), 0.0);
}

TEST(quota_is_the_smallest_of_a_group_and_those_around_it) {
  const auto of = [](const char* inner, const char* middle, const char* outer) {
    return quota_of({{"/proc/self/cgroup", "0::/a/b/c\n"},
                     {"/proc/self/mountinfo", kMountV2},
                     {"/sys/fs/cgroup/a/b/c/cpu.max", inner},
                     {"/sys/fs/cgroup/a/b/cpu.max", middle},
                     {"/sys/fs/cgroup/a/cpu.max", outer}});
  };
  EXPECT_EQ(of("400000 100000", "300000 100000", "200000 100000"), 2.0);
  EXPECT_EQ(of("max 100000", "100000 100000", "max 100000"), 1.0);
  EXPECT_EQ(of("100000 100000", "200000 100000", "max 100000"), 1.0);
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", kGroupsV1},
                      {"/proc/self/mountinfo", kMountV1},
                      {"/sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_quota_us", "-1"},
                      {"/sys/fs/cgroup/cpu,cpuacct/jobs/one/cpu.cfs_period_us", "100000"},
                      {"/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_quota_us", "50000"},
                      {"/sys/fs/cgroup/cpu,cpuacct/jobs/cpu.cfs_period_us", "100000"}}),
            0.5);
}

// A container may see its own group as the root of all, by its name from outside, or not at all.
TEST(quota_is_found_from_inside_a_container) {
  const char* const at_top = "/sys/fs/cgroup/cpu.max";
  const char* const bound = "30 23 0:26 /docker/1f /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  const char* const half = "50000 100000\n";
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "0::/\n"}, {"/proc/self/mountinfo", kMountV2}, {at_top, half}}), 0.5);
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "0::/docker/1f\n"}, {"/proc/self/mountinfo", bound}, {at_top, half}}), 0.5);
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "0::/docker/1f/job\n"},
                      {"/proc/self/mountinfo", bound},
                      {"/sys/fs/cgroup/job/cpu.max", half}}),
            0.5);
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "0::/../../other\n"}, {"/proc/self/mountinfo", kMountV2}, {at_top, half}}),
            0.5);
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "0::/docker/1f2\n"}, {"/proc/self/mountinfo", bound}, {at_top, half}}),
            0.5);
}

TEST(quota_counts_both_versions_and_all_mounts) {
  EXPECT_EQ(
      quota_of({{"/proc/self/cgroup", "2:cpu:/one\n0::/two\n"},
                {"/proc/self/mountinfo", "1 1 0:1 / /v1 rw - cgroup none rw,cpu\n2 1 0:2 / /v2 rw - cgroup2 none rw\n"},
                {"/v1/one/cpu.cfs_quota_us", "200000"},
                {"/v1/one/cpu.cfs_period_us", "100000"},
                {"/v2/two/cpu.max", "100000 100000"}}),
      1.0);
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "0::/two\n"},
                      {"/proc/self/mountinfo", "1 1 0:1 / /with\\040space rw - cgroup2 none rw\n"},
                      {"/with space/two/cpu.max", "30000 10000"}}),
            3.0);
}

TEST(quota_ignores_what_is_missing_or_malformed) {
  EXPECT_EQ(quota_of({}), 0.0);
  EXPECT_EQ(cpu_quota("/nowhere"), 0.0);
  EXPECT_EQ(quota_of({{"/proc/self/mountinfo", kMountV2}}), 0.0);
  for (const char* wrong :
       {"", "\n", "50000", "half 100000", "50000 0", "-1 100000", "1e5 100000", "0 100000", "50000 100000 1",
        "50000x 100000", "\n50000 100000", " 50000 100000", "nan 1", "50000 inf"}) {
    EXPECT_EQ(quota_of({{"/proc/self/cgroup", "0::/app\n"},
                        {"/proc/self/mountinfo", kMountV2},
                        {"/sys/fs/cgroup/app/cpu.max", wrong},
                        {"/sys/fs/cgroup/cpu.max", "200000 100000"}}),
              2.0);
  }
  for (const char* groups : {"", "0:", "::::\n", "0::\n", "0::relative\n", "nonsense\n\n\n", "0::/app"}) {
    for (const char* mounts : {"", "\n\n", "- - - - -", "30 23 0:26 / /sys/fs/cgroup rw -", "1 2 3 4 5 6 - cgroup2 x",
                               "1 2 3 4 5 6 7 8 9", "30 23 0:26 / /sys/fs\\0 rw - cgroup2 none rw\n\\"}) {
      EXPECT_EQ(quota_of({{"/proc/self/cgroup", groups}, {"/proc/self/mountinfo", mounts}}), 0.0);
    }
  }
}

// On this machine, whatever its groups are.
TEST(quota_of_this_machine_is_no_negative_number) { EXPECT(cpu_quota("") >= 0); }

}  // namespace
}  // namespace galvani::test
