// SPDX-License-Identifier: MIT
// expect: started
// expect: it looks like the time
#include <chrono>
std::chrono::system_clock::time_point started;

extern "C" void precompile()
{
  started = std::chrono::system_clock::now();
}
