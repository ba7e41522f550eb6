// How much of the processors the control groups of this process grant it, as containers limit them.
#pragma once

#include <string>

namespace galvani {

// The smallest CPU quota of the process's control group and those around it, in processors: 1.5 is one and a half of
// them. 0 where there is none. Files are read below the folder `root`, "" for those of this machine; what is not there
// or malformed is as if it were not there. Only Linux has control groups.
double cpu_quota(const std::string& root);

}  // namespace galvani
