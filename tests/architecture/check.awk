# SPDX-License-Identifier: MIT
# Reads arrows.txt, calls.txt, then every source, and prints one line for each rule that a source breaks. File names
# are relative to the root of the project. Runs in any POSIX awk.

function report(text) { print file ":" FNR ": " text }

# Does one of the comma-separated places begin the file's name, at a folder or inside the last part of the name?
function allowed_here(places,   list, count, i) {
  count = split(places, list, ",")
  for (i = 1; i <= count; i++)
    if (index(file, list[i] "/") == 1 || (index(list[i], "/") && index(file, list[i]) == 1))
      return 1
  return 0
}

function read_arrow(   i) {
  if ($2 != "->") { report("expected `folder -> folder...`"); return }
  folder_known[$1] = 1
  for (i = 3; i <= NF; i++)
    arrow[$1, $i] = 1
}

function read_call(   name, places) {
  name = $1
  places = $2
  sub(/^[^ ]+ +[^ ]+ +/, "")
  call_places[name] = places
  call_instead[name] = $0
}

function begin_source() {
  file = FILENAME
  sub(/^\.\//, "", file)
  folder = index(file, "/") ? substr(file, 1, index(file, "/") - 1) : "."
  in_comment = 0
  if (!(folder in folder_known))
    report("folder `" folder "` is not listed in arrows.txt")
}

# `<x/y.h>` reaches our folders too, since the root is on the include path.
function check_include(line,   quoted, target) {
  quoted = line ~ /^[ \t]*#[ \t]*include[ \t]*"/
  sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", line)
  sub(/[">].*/, "", line)
  if (line ~ /(^|\/)\.\.?(\/|$)/) { report("include \"" line "\" climbs; write it from the root"); return }
  target = index(line, "/") ? substr(line, 1, index(line, "/") - 1) : folder
  if (target == "pkgimg" || target == folder || (folder, "*") in arrow || (folder, target) in arrow)
    return
  if (target in folder_known)
    report(folder " may not include " line " (no arrow " folder " -> " target " in arrows.txt)")
  else if (quoted)
    report("include \"" line "\" names no folder of ours; write <...> for other headers")
}

# The line without comments, and without the contents of strings and characters.
function code_of(line,   out, at) {
  while (line != "") {
    if (in_comment) {
      if (!(at = index(line, "*/"))) return out
      line = substr(line, at + 2)
      in_comment = 0
    } else if (match(line, /^[^"'\/]+/)) {
      out = out substr(line, 1, RLENGTH)
      line = substr(line, RLENGTH + 1)
    } else if (line ~ /^\/\//) {
      return out
    } else if (line ~ /^\/\*/) {
      in_comment = 1
      line = substr(line, 3)
    } else if (match(line, /^"([^"\\]|\\.)*"/) || match(line, /^'([^'\\]|\\.)*'/)) {
      out = out "\"\""
      line = substr(line, RLENGTH + 1)
    } else {
      out = out substr(line, 1, 1)
      line = substr(line, 2)
    }
  }
  return out
}

# A name before a parenthesis, not a member: `image->close(` is no call of close.
function check_calls(code,   before, name) {
  while (match(code, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(/)) {
    before = substr(code, 1, RSTART - 1)
    name = substr(code, RSTART, RLENGTH - 1)
    sub(/[ \t]+$/, "", name)
    sub(/^__builtin_/, "", name)
    if (name in call_places && before !~ /(\.|->)$/ && !allowed_here(call_places[name]))
      report(name "() is not for " folder "; use " call_instead[name])
    code = substr(code, RSTART + RLENGTH)
  }
}

function check_words(   words) {
  words = "(^|[^A-Za-z0-9_])(TO" "DO|FIX" "ME|XX" "X|HA" "CK)([^A-Za-z0-9_]|$)"
  if ($0 ~ words)
    report("a note to self; do it, or say what is not done and why")
}

FNR == 1 { file = FILENAME }
FILENAME ~ /\/(arrows|calls)\.txt$/ && (/^#/ || NF == 0) { next }
FILENAME ~ /\/arrows\.txt$/ { read_arrow(); next }
FILENAME ~ /\/calls\.txt$/ { read_call(); next }

FNR == 1 { begin_source(); sources++ }
FNR == 801 { report("more than 800 lines; split the file") }
{ check_words() }
{ code = code_of($0) }
code ~ /^[ \t]*#[ \t]*include[ \t]*["<]/ { check_include($0); next }
{ check_calls(code) }
END { print "checked " sources + 0 " sources" > "/dev/stderr" }
