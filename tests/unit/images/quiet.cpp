// SPDX-License-Identifier: MIT
//
// Nothing to do when it is loaded; what it registers while it runs is to be done at its end.
extern "C" void unit_log(const char *event);

struct kept {
  ~kept() { unit_log("quiet's object destroyed"); }
};

extern "C" int quiet_touch()
{
  static kept object;
  return 3;
}
