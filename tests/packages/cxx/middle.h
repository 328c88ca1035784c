// SPDX-License-Identifier: MIT
//
// Depends on base; everything here passes through frames of this package.
#ifndef CXX_MIDDLE_H
#define CXX_MIDDLE_H

#include "base.h"

#include <variant>

namespace middle {

class Special : public base::Failure {
public:
  explicit Special(int code) : Failure("special", code) {}
  ~Special() override;
  std::string extra() const { return "extra " + std::to_string(code()); }
};

class Square : public base::Shape, public virtual base::Named {
public:
  explicit Square(double side) : Named("square"), side_(side) {}
  double area() const override { return side_ * side_; }
  std::string name() const override;
  std::string tag() const override { return "square's tag of " + label; }

private:
  double side_;
};

// Both sides of a diamond.
class Rounded : public base::Circle, public Square {
public:
  Rounded() : Named("rounded"), Circle(1), Square(2) {}
  double area() const override { return Circle::area() + Square::area(); }
  std::string name() const override { return "rounded"; }
};

using Value = std::variant<int, std::string, std::vector<double>>;

std::vector<std::unique_ptr<base::Shape>> make_shapes();
int relay(int code);
int relay_callback(const base::Callback &callback, int depth);
int translate(int code);
std::exception_ptr capture(int code);
base::Callback make_adder(int amount);
std::string visit(const Value &value);
std::string format_with_streams(int number, double fraction);
std::shared_ptr<base::Shape> shared_shape(int *deleted);
[[noreturn]] void throw_inline();

struct PerThread {
  PerThread() { base::per_thread.uses++; }
  ~PerThread() { destroyed += seen; }
  int seen = 0;
  static std::atomic<int> destroyed;
};
int use_per_thread();

} // namespace middle
#endif
