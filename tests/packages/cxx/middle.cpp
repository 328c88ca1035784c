// SPDX-License-Identifier: MIT
#include "middle.h"

#include <iomanip>
#include <locale>
#include <sstream>

namespace middle {

static base::Announcer announcer("middle");
static int registered = (base::registry()["middle"].push_back(2), base::shared_counter() += 10);

Special::~Special() = default;
std::string Square::name() const {
  return "square of middle, a " + Shape::name();
}

std::vector<std::unique_ptr<base::Shape>> make_shapes() {
  std::vector<std::unique_ptr<base::Shape>> shapes;
  shapes.push_back(std::make_unique<base::Circle>(2));
  shapes.push_back(std::make_unique<Square>(3));
  shapes.push_back(std::unique_ptr<base::Shape>(static_cast<Square *>(new Rounded)));
  return shapes;
}

int relay(int code) {
  base::Announcer inside("a local of middle::relay");
  if (code < 0)
    throw Special(code);
  base::fail(code);
}

int relay_callback(const base::Callback &callback, int depth) {
  base::Announcer inside("a local of middle::relay_callback");
  if (depth == 0)
    return base::call(callback, 5);
  return base::call([&](int) { return relay_callback(callback, depth - 1); }, depth);
}

int translate(int code) {
  try {
    base::fail(code);
  } catch (base::Failure &failure) {
    base::say("middle caught %d", failure.code());
    if (code == 1)
      throw;
    if (code == 2)
      std::throw_with_nested(std::logic_error("translated"));
    return failure.code() * 2;
  }
}

std::exception_ptr capture(int code) {
  try {
    relay(code);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

base::Callback make_adder(int amount) {
  std::string name = "an adder with a captured string that is too long for the small buffer";
  return [amount, name](int value) { return value + amount + static_cast<int>(name.size()); };
}

std::string visit(const Value &value) {
  struct {
    std::string operator()(int number) const { return "int " + std::to_string(number); }
    std::string operator()(const std::string &text) const { return "string " + text; }
    std::string operator()(const std::vector<double> &list) const {
      return "list of " + std::to_string(list.size());
    }
  } visitor;
  return std::visit(visitor, value);
}

std::string format_with_streams(int number, double fraction) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << std::hex << std::showbase << number << ' ' << std::dec << std::setw(8) << std::setfill('*') << number
      << ' ' << std::fixed << std::setprecision(3) << fraction << ' ' << std::boolalpha << (number > 0);
  return out.str();
}

std::shared_ptr<base::Shape> shared_shape(int *deleted) {
  return {new Square(4), [deleted](base::Shape *shape) {
            ++*deleted;
            delete shape;
          }};
}

void throw_inline() {
  throw base::Inline();
}

std::atomic<int> PerThread::destroyed{0};
int use_per_thread() {
  static thread_local PerThread local;
  base::plain_per_thread++;
  base::inline_per_thread += "+";
  return ++local.seen + registered * 0;
}

} // namespace middle
