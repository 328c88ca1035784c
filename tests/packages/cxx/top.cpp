// SPDX-License-Identifier: MIT
//
// Depends on base and middle, and has the main function that prints the transcript.
#include "middle.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <iostream>
#include <mutex>
#include <regex>
#include <thread>
#include <typeinfo>

using base::say;

static base::Announcer announcer("top");
static std::string greeting = "top saw " + std::to_string(base::shared_counter());

namespace {
struct Local {
  int value;
};
struct Watch {
  ~Watch() { say("unwinding with %d in flight", std::uncaught_exceptions()); }
};
} // namespace

static void thrown_by_base() {
  try {
    Watch watch;
    middle::relay(3);
  } catch (const base::Failure &failure) {
    say("top caught Failure %d: %s (%s)", failure.code(), failure.what(), typeid(failure).name());
  }
  try {
    middle::relay(-4);
  } catch (const std::exception &error) {
    auto *special = dynamic_cast<const middle::Special *>(&error);
    say("top caught %s, %s", error.what(), special ? special->extra().c_str() : "not special");
  }
  try {
    middle::throw_inline();
  } catch (const base::Inline &error) {
    say("top caught %s", error.what());
  }
}

static int thrower(int value) {
  switch (value % 10) {
  case 5:
    throw Local{value};
  case 6:
    throw value;
  case 7:
    throw "a literal";
  default:
    throw std::string("a string");
  }
}

static void thrown_by_top() {
  for (int offset = 0; offset < 4; offset++) {
    try {
      middle::relay_callback([offset](int value) { return thrower(value + offset); }, offset % 2);
    } catch (const Local &local) {
      say("came back: Local %d", local.value);
    } catch (int number) {
      say("came back: int %d", number);
    } catch (const char *text) {
      say("came back: %s", text);
    } catch (const std::string &text) {
      say("came back: %s", text.c_str());
    }
  }
  say("no exception: %d", middle::relay_callback([](int value) { return value * 2; }, 2));
}

static void rethrown() {
  try {
    middle::translate(1);
  } catch (const base::Failure &failure) {
    say("rethrown: %s", failure.what());
  }
  try {
    middle::translate(2);
  } catch (const std::logic_error &error) {
    say("nested in: %s", error.what());
    try {
      std::rethrow_if_nested(error);
    } catch (const base::Failure &failure) {
      say("the inner one: %s", failure.what());
    }
  }
  say("handled: %d", middle::translate(21));
  std::exception_ptr kept = middle::capture(-9), other = middle::capture(9);
  for (const auto &pointer : {kept, other, kept}) {
    try {
      std::rethrow_exception(pointer);
    } catch (const middle::Special &special) {
      say("from a pointer: %s", special.extra().c_str());
    } catch (const base::Failure &failure) {
      say("from a pointer: %s", failure.what());
    }
  }
  auto future = std::async(std::launch::async, [] { return middle::relay(77); });
  try {
    future.get();
  } catch (const base::Failure &failure) {
    say("from another thread: %d", failure.code());
  }
  for (bool fail : {true, true, false, true}) {
    try {
      say("the static is %d", base::local_static_that_fails(fail));
    } catch (const base::Inline &) {
      say("the static's constructor threw");
    }
  }
}

static void standard_exceptions() {
  try {
    std::vector<int>().at(3);
  } catch (const std::out_of_range &) {
    say("out of range");
  }
  try {
    base::Shape *shape = new base::Circle(1);
    std::unique_ptr<base::Shape> owner(shape);
    (void)dynamic_cast<middle::Square &>(*shape);
  } catch (const std::bad_cast &error) {
    say("bad cast: %s", error.what());
  }
  try {
    base::Callback()(1);
  } catch (const std::bad_function_call &) {
    say("bad function call");
  }
  try {
    (void)std::stoi("no number");
  } catch (const std::invalid_argument &error) {
    say("invalid argument: %s", error.what());
  }
}

static void casts() {
  for (const auto &shape : middle::make_shapes()) {
    auto *named = dynamic_cast<base::Named *>(shape.get());
    auto *square = dynamic_cast<middle::Square *>(shape.get());
    auto *circle = dynamic_cast<base::Circle *>(shape.get());
    say("%s: area %.2f, %s, square %d, circle %d, most derived %d", shape->name().c_str(), shape->area(),
        named ? named->tag().c_str() : "nameless", square != nullptr, circle != nullptr,
        dynamic_cast<void *>(shape.get()) == dynamic_cast<void *>(named));
    const base::Shape &object = *shape;
    say("typeid: %s, the same as Square's %d", typeid(object).name(), typeid(object) == typeid(middle::Square));
  }
  int deleted = 0;
  {
    std::shared_ptr<base::Shape> shape = middle::shared_shape(&deleted);
    auto square = std::dynamic_pointer_cast<middle::Square>(shape);
    say("shared by %ld, %s", shape.use_count(), square->tag().c_str());
  }
  say("deleted %d", deleted);
}

static void library_types() {
  say("adder: %d", middle::make_adder(10)(5));
  say("%s, %s, %s", middle::visit(4).c_str(), middle::visit("text").c_str(),
      middle::visit(std::vector<double>(3)).c_str());
  say("%s; %s; %s", base::describe(std::string("any")).c_str(), base::describe(std::vector<int>(4)).c_str(),
      base::describe(base::Callback()).c_str());
  say("%s", middle::format_with_streams(255, 2.0 / 3).c_str());
  base::registry()["top"] = {3, 4};
  for (const auto &[name, values] : base::registry())
    say("registry: %s has %zu, first %d", name.c_str(), values.size(), values[0]);
  say("%s; counter %d; instances %d", greeting.c_str(), ++base::shared_counter(),
      ++base::Instances<base::Shape>::count);
  std::string text = "one 22 three 4444";
  std::smatch match;
  for (std::regex number("[0-9]+"); std::regex_search(text, match, number); text = match.suffix())
    say("regex: %s", match.str().c_str());
  std::fflush(stdout);
  std::cout << "through cout: " << 1.5 << ' ' << std::hex << 255 << std::endl;
  std::once_flag flag;
  for (int i = 0; i < 3; i++)
    std::call_once(flag, [i] { say("once: %d", i); });
}

static void work(std::atomic<int> &sum, std::mutex &mutex, std::map<int, int> &seen, int id) {
  thread_local std::vector<int> own;
  for (int i = 0; i < 1000; i++) {
    own.push_back(middle::use_per_thread());
    base::per_thread.uses += 2;
  }
  sum += own.back() + base::plain_per_thread + static_cast<int>(base::inline_per_thread.size());
  sum += base::once_per_process();
  std::lock_guard<std::mutex> lock(mutex);
  seen[id] = base::per_thread.uses;
}

static void threads() {
  enum { COUNT = 8 };
  std::atomic<int> sum{0};
  std::mutex mutex;
  std::map<int, int> seen;
  int constructed = base::PerThread::constructed, destroyed = base::PerThread::destroyed;
  std::vector<std::thread> running;
  for (int id = 0; id < COUNT; id++)
    running.emplace_back([&, id] { work(sum, mutex, seen, id); });
  for (auto &thread : running)
    thread.join();
  say("threads: sum %d, seen %zu, each %d", sum.load(), seen.size(), seen.begin()->second);
  say("constructed %d, destroyed %d, middle's %d", base::PerThread::constructed - constructed,
      base::PerThread::destroyed - destroyed, middle::PerThread::destroyed.load());
  say("this thread: %d, %s", base::plain_per_thread, base::inline_per_thread.c_str());
}

int main(int argc, char **argv) {
  say("main with %d arguments%s", argc - 1, argc > 1 ? argv[1] : "");
  thrown_by_base();
  thrown_by_top();
  rethrown();
  standard_exceptions();
  casts();
  library_types();
  threads();
  static base::Announcer last("a static of main");
  thread_local base::Announcer local("a thread_local of main");
  (void)&local;
  return 17;
}
