#include "runtime/cpu_quota.h"

#if defined(__linux__)

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace galvani {
namespace {

// What a file holds; nothing where it cannot be read.
std::string read_file(const std::string& path) {
  std::string contents;
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return contents;
  char part[4096];
  while (const size_t bytes = std::fread(part, 1, sizeof part, file)) contents.append(part, bytes);
  std::fclose(file);
  return contents;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool has_item(const std::string& list, const char* wanted) {
  for (const std::string& item : split(list, ',')) {
    if (item == wanted) return true;
  }
  return false;
}

bool starts_with(const std::string& text, const std::string& prefix) { return text.rfind(prefix, 0) == 0; }

// Paths of mountinfo have \040 for a space.
std::string unescape(const std::string& path) {
  std::string result;
  for (size_t i = 0; i < path.size(); ++i) {
    const std::string code = path[i] == '\\' ? path.substr(i + 1, 3) : "";
    const bool is_octal = code.size() == 3 && code.find_first_not_of("01234567") == std::string::npos;
    result += is_octal ? static_cast<char>(std::strtol(code.c_str(), nullptr, 8)) : path[i];
    if (is_octal) i += 3;
  }
  return result;
}

// The number that a text of digits is, which a line may end; 0 for any other, as "max" and "-1" are.
double number_of(const std::string& text) {
  const size_t digits = std::min(text.find('\n'), text.size());
  if (digits == 0 || text.find_first_not_of("0123456789") < digits) return 0;
  return std::strtod(text.substr(0, digits).c_str(), nullptr);
}

double ratio(double quota, double period) { return quota > 0 && period > 0 ? quota / period : 0; }

// The quota of one group, in its version of the interface.
double quota_v1(const std::string& folder) {
  return ratio(number_of(read_file(folder + "/cpu.cfs_quota_us")), number_of(read_file(folder + "/cpu.cfs_period_us")));
}

double quota_v2(const std::string& folder) {
  const std::vector<std::string> numbers = split(read_file(folder + "/cpu.max"), ' ');
  return numbers.size() == 2 ? ratio(number_of(numbers[0]), number_of(numbers[1])) : 0;
}

// A hierarchy of groups that a file system shows: the one at `group` and those in it at the folder `mount_point`.
struct Mount {
  int version;  // 0: no groups that limit processors
  std::string group, mount_point;
};

// A line of mountinfo: number, parent, device, group, mount point, options, fields that end with "-", type of the file
// system, source, its options.
Mount parse_mount(const std::string& line) {
  const std::vector<std::string> fields = split(line, ' ');
  size_t dash = 6;
  while (dash < fields.size() && fields[dash] != "-") ++dash;
  if (dash + 3 >= fields.size()) return {0, "", ""};
  const std::string& type = fields[dash + 1];
  const bool is_v1 = type == "cgroup" && has_item(fields[dash + 3], "cpu");
  return {type == "cgroup2" ? 2 : is_v1 ? 1 : 0, unescape(fields[3]), unescape(fields[4])};
}

// The group of the process in a hierarchy, from a text of lines number:controllers:group; that of version 2 is number 0
// and names no controllers.
std::string group_of_process(const std::string& groups, int version) {
  for (const std::string& line : split(groups, '\n')) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version == 2 ? starts_with(line, "0::") : has_item(controllers, "cpu")) return line.substr(second + 1);
  }
  return "";
}

// Where the group is below the mount point: "/a/b", or "" for the mount point itself. So it is where a container sees
// its own group alone but its names from outside, and where the group is outside of what the process may see.
std::string path_below(const Mount& mount, const std::string& group) {
  const std::string prefix = mount.group == "/" ? "" : mount.group;
  const bool is_inside = starts_with(group, prefix + "/") && group.find("/..") == std::string::npos;
  const std::string path = is_inside ? group.substr(prefix.size()) : "";
  return path == "/" ? "" : path;
}

double smaller_quota(double a, double b) { return a == 0 || (b > 0 && b < a) ? b : a; }

}  // namespace

double cpu_quota(const std::string& root) {
  const std::string groups = read_file(root + "/proc/self/cgroup");
  double smallest = 0;
  for (const std::string& line : split(read_file(root + "/proc/self/mountinfo"), '\n')) {
    const Mount mount = parse_mount(line);
    if (mount.version == 0) continue;
    std::string path = path_below(mount, group_of_process(groups, mount.version));
    for (bool is_top = false; !is_top;) {
      is_top = path.empty();
      const std::string folder = root + mount.mount_point + path;
      smallest = smaller_quota(smallest, mount.version == 2 ? quota_v2(folder) : quota_v1(folder));
      path.erase(std::min(path.rfind('/'), path.size()));
    }
  }
  return smallest;
}

}  // namespace galvani

#else

namespace galvani {

double cpu_quota(const std::string&) { return 0; }

}  // namespace galvani

#endif
