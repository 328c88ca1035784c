// SPDX-License-Identifier: MIT
#include "base.h"

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <thread>

namespace base {

void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::putchar('\n');
}

Announcer::Announcer(const char *name) : name_(name) {
  say("construct %s", name_);
}
Announcer::~Announcer() {
  say("destroy %s", name_);
}

static Announcer first("base, first");
static Announcer second("base, second");
__attribute__((init_priority(500))) static Announcer early("base, priority 500");
__attribute__((init_priority(400))) static Announcer earlier("base, priority 400");
__attribute__((constructor)) static void constructor() {
  say("constructor function of base");
}

Failure::~Failure() = default;
Shape::~Shape() = default;
std::string Shape::name() const {
  return "shape";
}
Named::~Named() = default;
double Circle::area() const {
  return 3.0 * radius_ * radius_;
}
std::string Circle::name() const {
  return "circle of base";
}

void fail(int code) {
  Announcer inside("a local of base::fail");
  throw Failure("failure " + std::to_string(code), code);
}

int call(const Callback &callback, int argument) {
  Announcer inside("a local of base::call");
  return callback(argument) + 1;
}

std::map<std::string, std::vector<int>> &registry() {
  static std::map<std::string, std::vector<int>> entries{{"base", {1}}};
  return entries;
}

// Slow enough that all threads come while the first one is still inside.
int once_per_process() {
  static int calls = [] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    static std::atomic<int> entered{0};
    return ++entered;
  }();
  return calls;
}

std::string describe(const std::any &value) {
  if (auto *text = std::any_cast<std::string>(&value))
    return "string " + *text;
  if (auto *numbers = std::any_cast<std::vector<int>>(&value))
    return "vector of " + std::to_string(numbers->size());
  return std::string("something: ") + value.type().name();
}

int local_static_that_fails(bool fail) {
  static int tries = 0;
  static int value = [fail] {
    tries++;
    if (fail)
      throw Inline();
    return 10 * tries;
  }();
  return value;
}

std::atomic<int> PerThread::constructed{0}, PerThread::destroyed{0};
PerThread::PerThread() {
  constructed++;
}
PerThread::~PerThread() {
  destroyed += uses > 0;
}
thread_local PerThread per_thread;
thread_local int plain_per_thread = 7;

} // namespace base
