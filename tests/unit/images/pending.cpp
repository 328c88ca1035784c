// SPDX-License-Identifier: MIT
//
// A thread_local object whose destructor runs when its thread ends, which may be after the image was closed.
extern "C" void unit_log(const char *event) __attribute__((weak));

struct guard {
  int value = 1;
  ~guard()
  {
    if (unit_log)
      unit_log("thread's object destroyed");
    value = 0;
  }
};
static thread_local guard object;

extern "C" int pending_touch()
{
  return object.value++;
}

__attribute__((destructor)) static void destruct()
{
  if (unit_log)
    unit_log("destruct pending");
}
