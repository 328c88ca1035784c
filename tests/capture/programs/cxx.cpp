// SPDX-License-Identifier: MIT
// What the standard library builds at build time is there at run time, may be changed, and is destroyed at the end.
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

static int failures;
#define CHECK(condition)                                                                                          \
  ((condition) ? (void)0 : (void)(failures++, std::printf("%d: failed: %s\n", __LINE__, #condition)))

// ---- virtual classes, owned and shared

struct shape {
  virtual ~shape() = default;
  virtual double area() const = 0;
};
struct square : shape {
  double side;
  explicit square(double s) : side(s) {}
  double area() const override { return side * side; }
};
struct named {
  virtual ~named() = default;
  virtual const char *name() const { return "named"; }
};
struct both : square, virtual named {
  using square::square;
  const char *name() const override { return "both"; }
};

static std::map<std::string, int> counts;
static std::unordered_map<int, std::string> words;
static std::unordered_map<std::string, std::vector<int>> numbers;
static std::vector<std::string> lines;
static std::vector<std::unique_ptr<shape>> shapes;
static std::shared_ptr<std::string> shared, shared_again;
static std::weak_ptr<std::string> watched;
static std::function<int(int)> add;
static std::list<int> list;
static std::set<const char *> names;
static both *twice;
static named *virtual_base;
static int caught;

// Printed at the end of the process, in the order of destruction.
struct announcer {
  const char *text;
  explicit announcer(const char *t) : text(t) { std::cout << "constructed " << text << std::endl; }
  ~announcer() { std::cout << "destroyed " << text << std::endl; }
};
static announcer global("global");

static announcer &local()
{
  static announcer instance("local");
  return instance;
}

static announcer &later()
{
  static announcer instance("later");
  return instance;
}

static const std::string &lazily()
{
  static const std::string text = "made once, and long enough to be on the heap";
  return text;
}

thread_local std::vector<int> per_thread{1, 2, 3};

extern "C" void precompile()
{
  for (int i = 0; i < 1000; i++) {
    char text[32];
    std::snprintf(text, sizeof text, "key number %d", i % 100);
    counts[text]++;
    words[i] = std::string(static_cast<size_t>(i % 40), 'x');
    numbers[text].push_back(i);
    lines.push_back(text);
    list.push_front(i);
  }
  for (int i = 1; i < 10; i++)
    shapes.push_back(std::make_unique<square>(i));
  shared = shared_again = std::make_shared<std::string>("one string that two own, longer than fits in place");
  watched = shared;
  int more = 41;
  std::string captured = "a lambda's own string, which is long enough";
  add = [more, captured](int n) { return n + more + static_cast<int>(captured.size()); };
  virtual_base = twice = new both(3);
  names.insert("one place only");
  local();
  lazily();
  try {
    throw std::runtime_error("on the way");
  } catch (const std::exception &e) {
    caught = static_cast<int>(std::strlen(e.what()));
  }
  std::ostringstream out;
  out << 42 << " and " << 1.5;
  lines.push_back(out.str());
}

static void as_it_was()
{
  CHECK(counts.size() == 100 && counts["key number 7"] == 10);
  CHECK(words.size() == 1000 && words.at(39) == std::string(39, 'x'));
  CHECK(numbers["key number 99"].size() == 10 && numbers["key number 99"][9] == 999);
  CHECK(lines.size() == 1001 && lines[500] == "key number 0" && lines[1000] == "42 and 1.5");
  CHECK(shapes.size() == 9 && shapes[8]->area() == 81 && dynamic_cast<square *>(shapes[0].get()));
  CHECK(shared == shared_again && shared.use_count() == 2 && !watched.expired() && watched.lock() == shared);
  CHECK(add(1) == 42 + 43);
  CHECK(list.front() == 999 && list.back() == 0 && list.size() == 1000);
  CHECK(names.size() == 1);
  CHECK(virtual_base == static_cast<named *>(twice) && std::strcmp(virtual_base->name(), "both") == 0);
  CHECK(dynamic_cast<both *>(virtual_base) == twice && twice->area() == 9);
  CHECK(caught == 10 && lazily().size() == 44);
  CHECK(per_thread.size() == 3 && per_thread[2] == 3);
}

static void changed()
{
  counts["a new key that was not there when it was built"] = 1;
  counts.erase("key number 5");
  CHECK(counts.size() == 100);
  for (int i = 0; i < 5000; i++)
    words[i] += "grows beyond what was captured";  // rehashes, and reallocates each string
  CHECK(words[39] == std::string(39, 'x') + "grows beyond what was captured");
  words.erase(39);
  numbers["key number 99"].resize(5000, 7);
  numbers.clear();
  lines.push_back("one more");
  lines.insert(lines.begin(), std::string(1000, 'y'));
  CHECK(lines.size() == 1003 && lines[501] == "key number 0");
  lines[1] = std::string(100, 'z');
  lines[2].append(500, 'w');
  lines[3].assign(700, 'v').replace(1, 3, "replaced by more than there was");
  lines[4].reserve(4000);
  lines[5].shrink_to_fit();
  lines[6] = std::move(lines[7]);
  lines[8].clear();
  lines.shrink_to_fit();
  lines.clear();
  shapes.pop_back();
  shapes.push_back(std::make_unique<both>(5));
  shapes.clear();
  *shared += " and that grows";
  shared.reset();
  CHECK(shared_again.use_count() == 1);
  shared_again.reset();
  CHECK(watched.expired());
  add = nullptr;
  list.sort();
  CHECK(list.front() == 0);
  list.clear();
  delete twice;
  per_thread.push_back(4);
}

static void libstdcxx_itself()
{
  std::cout << "cout works: " << 1.5 << ' ' << std::hex << 255 << std::dec << std::endl;
  std::istringstream in("12 words and 3.5");
  int number = 0;
  std::string word;
  in >> number >> word;
  CHECK(number == 12 && word == "words");
  std::string line = lines[2];
  std::istringstream text("a line that is a good deal longer than the captured string that it is read into");
  std::getline(text, lines[2]);
  CHECK(lines[2].size() == 79);
  std::istringstream again("another-word-that-is-a-good-deal-longer-than-the-captured-string");
  again >> lines[3];
  CHECK(lines[3].size() == 64);
  try {
    (void)lines.at(100000);
    CHECK(!"no exception");
  } catch (const std::out_of_range &) {
  }
}

int main()
{
  std::cout << "main" << std::endl;
  as_it_was();
  libstdcxx_itself();
  changed();
  later();
  std::printf("%d failures\n", failures);
  std::fflush(stdout);
  return failures != 0;
}
