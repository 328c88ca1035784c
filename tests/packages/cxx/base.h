// SPDX-License-Identifier: MIT
//
// The lowest of three packages that do to each other what C++ libraries do.
#ifndef CXX_BASE_H
#define CXX_BASE_H

#include <any>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace base {

// Print a line of the transcript.
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Says when it comes and goes; a global of this type shows the order of constructors.
class Announcer {
public:
  explicit Announcer(const char *name);
  ~Announcer();
  Announcer(const Announcer &) = delete;
  Announcer &operator=(const Announcer &) = delete;

private:
  const char *name_;
};

// Its virtual table and type information live in base only (key function).
class Failure : public std::runtime_error {
public:
  Failure(const std::string &text, int code) : std::runtime_error(text), code_(code) {}
  ~Failure() override;
  int code() const { return code_; }

private:
  int code_;
};

// Without a key function: every image has its own copy of the type information.
struct Inline : std::exception {
  const char *what() const noexcept override { return "an inline exception"; }
};

class Shape {
public:
  virtual ~Shape();
  virtual double area() const = 0;
  virtual std::string name() const;
};

class Named {
public:
  explicit Named(std::string label) : label(std::move(label)) {}
  virtual ~Named();
  virtual std::string tag() const { return "named " + label; }
  std::string label;
};

class Circle : public Shape, public virtual Named {
public:
  explicit Circle(double radius) : Named("circle"), radius_(radius) {}
  double area() const override;
  std::string name() const override;

private:
  double radius_;
};

using Callback = std::function<int(int)>;

[[noreturn]] void fail(int code);
int call(const Callback &callback, int argument);
std::map<std::string, std::vector<int>> &registry();
int once_per_process();
std::string describe(const std::any &value);
int local_static_that_fails(bool fail);

// One object in the process, whoever calls it.
inline int &shared_counter() {
  static int counter = 100;
  return counter;
}
template <class T> struct Instances { static inline std::atomic<int> count{0}; };

// Counts itself, per thread; constructed on first use in a thread, destroyed when it ends.
struct PerThread {
  PerThread();
  ~PerThread();
  int uses = 0;
  static std::atomic<int> constructed, destroyed;
};
extern thread_local PerThread per_thread;
extern thread_local int plain_per_thread;
inline thread_local std::string inline_per_thread = "inline";

} // namespace base
#endif
