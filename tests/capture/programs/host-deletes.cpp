// SPDX-License-Identifier: MIT
// Captured objects that code inside of libstdc++ deletes: strings that grow there, or are read into.
#include <cstdio>
#include <sstream>
#include <string>

static std::string *line, *appended, *assigned;
static std::wstring *wide;
static const std::string long_text(100, 'x');  // longer than what fits into a string itself

extern "C" void precompile()
{
  line = new std::string(long_text);
  appended = new std::string(long_text);
  assigned = new std::string(long_text);
  wide = new std::wstring(100, L'x');
}

int main()
{
  int failures = 0;
  std::istringstream in(std::string(5000, 'y') + "\n");
  std::getline(in, *line);
  failures += *line != std::string(5000, 'y');
  std::istringstream word(std::string(6000, 'z') + " rest");
  word >> *appended;
  failures += *appended != std::string(6000, 'z');
  assigned->append(5000, 'a').insert(0, 5000, 'b').replace(1, 2, std::string(20000, 'c'));
  failures += assigned->size() != 30098 || (*assigned)[1] != 'c';
  wide->resize(1000, L'w');
  wide->shrink_to_fit();
  failures += (*wide)[99] != L'x' || (*wide)[100] != L'w';
  delete line;
  delete appended;
  delete assigned;
  delete wide;
  std::printf("%d failures\n", failures);
  return failures != 0;
}
