# SPDX-License-Identifier: MIT
# The second half of generate-targets: reads features, ignored, cpus, alone and without (see there), checks them
# against each other and prints the C tables. Sets are arrays set[name, feature].

function die(text) { print "generate-targets: " isa ": " text > "/dev/stderr"; failed = 1 }

# Take the features of an answer into set `name`; a feature that nobody knows fails the build.
function take(name,   i) {
  for (i = 3; i <= NF; i++)
    if ($i in number) set[name, $i] = 1
    else if (!($i in ignored) && !(($i) in reported)) {
      reported[$i] = 1
      die("clang lists the feature `" $i "` (for " $2 "), which features.def has neither as a feature nor as not ours")
    }
}

# 256 bits as four words; awk's numbers hold 53 bits, so the words are made digit by digit.
function words(name,   word, digit, bit, value, text) {
  text = "{{"
  for (word = 0; word < 4; word++) {
    text = text (word ? ", 0x" : "0x")
    for (digit = 15; digit >= 0; digit--) {
      value = 0
      for (bit = 3; bit >= 0; bit--)
        value = 2 * value + ((name, feature[64 * word + 4 * digit + bit]) in set)
      text = text substr("0123456789abcdef", value + 1, 1)
    }
    text = text "u"
  }
  return text "}}"
}

function table(kind, what,   i) {
  print "\n// " what
  print "static const struct cpu_features " kind "[] = {"
  for (i = 0; i < count; i++)
    print "    " words(kind i) ",  // " feature[i]
  print "};"
}

part == 1 {
  feature[count++] = $2; number[$2] = $1; key[$1] = $3
  next
}
part == 2 { ignored[$1] = 1; next }
part == 3 { cpu[cpus++] = $1; next }
{ take($1); cpu_of[$1] = $2; seen[$1] = 1 }

# What a feature implies: what clang adds to it, without what every CPU has.
function find_implied(   i, j) {
  for (i = 0; i < count; i++) {
    for (j = 0; j < count; j++)
      if (("on" i, feature[j]) in set && !(("plain0", feature[j]) in set)) set["implies" i, feature[j]] = 1
    set["implies" i, feature[i]] = 1
    if (("on" i) in seen && !(("on" i, feature[i]) in set) && !(("all0", feature[i]) in set))
      die("clang does not know the feature `" feature[i] "` of features.def")
    else if (!(("on" i) in seen) && key[i] != "-")
      die("no answer for the feature `" feature[i] "`")
  }
}

# What goes with a feature that is turned off: what clang then leaves out. For features that cannot be turned off, or
# stand apart from the rest, the reverse of what implies it, unless clang treats that as a mere default, which
# it does if somebody else that implies it survives without it.
function find_losses(   i, j) {
  for (i = 0; i < count; i++) {
    for (j = 0; j < count; j++)
      if (("off" i) in seen && ("all0", feature[j]) in set) {
        if (!(("off" i, feature[j]) in set)) {
          # Not what goes for old meanings of words only: for aarch64, clang takes nosha2 for a part of nocrypto.
          # Of a feature that has no answer of its own (evex512 without avx512f) this tells what it needs.
          if (!(("on" j, feature[j]) in set) && !(("plain0", feature[i]) in set)) set["implies" j, feature[i]] = 1
          if (("implies" j, feature[i]) in set || ("plain0", feature[i]) in set) set["implied_by" i, feature[j]] = 1
        } else if (("implies" j, feature[i]) in set) soft[i] = 1
      }
    set["implied_by" i, feature[i]] = 1
  }
  for (i = 0; i < count; i++)
    for (j = 0; j < count; j++)
      if (!soft[i] && (!(("off" i) in seen) || !(("all0", feature[j]) in set)) && ("implies" j, feature[i]) in set)
        set["implied_by" i, feature[j]] = 1
  close_over("implies")
  close_over("implied_by")
}

# What clang tells one step at a time, or of which one step has no name: follow it to the end (Warshall).
function close_over(kind,   via, i, j) {
  for (via = 0; via < count; via++)
    for (i = 0; i < count; i++)
      if ((kind i, feature[via]) in set)
        for (j = 0; j < count; j++)
          if ((kind via, feature[j]) in set) set[kind i, feature[j]] = 1
}

function models(   i) {
  print "\nstatic const struct cpu_model models[] = {"
  for (i = 0; i < cpus; i++)
    if (cpu_of["cpu" i] == cpu[i]) {  # else a name for 32-bit code only, or for dispatching only
      print "    {\"" cpu[i] "\", " words("cpu" i) "},"
      known[cpu[i]] = 1
      models_count++
    }
  print "};"
  if (!(generic in known)) die("clang does not know the CPU `" generic "`")
}

END {
  generic = isa == "x86_64" ? "x86-64" : "generic"
  find_implied()
  find_losses()
  print "// Made by generate-targets from what clang says. Do not edit."
  print "#include \"cpuid/tables.h\""
  table("implies", "What each feature brings with it, itself included.")
  table("implied_by", "What goes when a feature goes, itself included.")
  models()
  print "\nconst struct cpu_isa cpu_isa_" isa " = {"
  print "    .name = \"" (isa == "x86_64" ? "x86-64" : isa) "\","
  print "    .generic = \"" generic "\","
  print "    .features = cpu_" isa "_features,"
  print "    .feature_count = " count ","
  print "    .implies = implies,"
  print "    .implied_by = implied_by,"
  print "    .models = models,"
  print "    .model_count = " models_count + 0 ","
  print "    .baseline = " words("plain0") ","
  print "};"
  exit failed
}
