// SPDX-License-Identifier: MIT
#include "cpuid/target.h"

#include "cpuid/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parse {
  const struct cpu_target_request *request;
  const struct cpu_isa *isa;
  const char *what, *text;
  bool in_sysimage;
  struct cpu_target_list *list;
  struct pkgimg_error *error;
};

/// A word of a target: a part of parse->text.
struct word {
  size_t at, length;
};

// What the words of one target have said so far, besides what stands in struct cpu_target.
struct said {
  struct cpu_features on, off;  ///< features that words name
  struct cpu_features brought;  ///< features that these turned on, with what they need
};

#define WORD(parse, word) (int)((word).length < 64 ? (word).length : 64), (parse)->text + (word).at

static struct place place_of(const struct parse *parse, struct word word)
{
  return (struct place){parse->what, parse->text, word.at, word.length};
}

static bool is(const struct parse *parse, struct word word, const char *text)
{
  return strlen(text) == word.length && memcmp(parse->text + word.at, text, word.length) == 0;
}

// ---- flags

static enum pkgimg_status set_flag(struct parse *parse, struct word word, struct cpu_target *target, unsigned flag,
                                   unsigned excludes, const char *name)
{
  struct place place = place_of(parse, word);
  if (target->flags & flag)
    return fail_place(parse->error, &place, "%s stands twice", name);
  if (target->flags & excludes)
    return fail_place(parse->error, &place, "%s contradicts an earlier word", name);
  target->flags |= flag;
  return PKGIMG_OK;
}

static enum pkgimg_status parse_base(struct parse *parse, struct word word, struct cpu_target *target)
{
  struct place place = place_of(parse, word);
  const char *digits = parse->text + word.at + 4;
  size_t count = *digits == '(' ? strspn(++digits, "0123456789") : 0;
  unsigned index = parse->list->count, base = 0;
  if (count == 0 || count > 3 || word.length != 5 + count + 1 || digits[count] != ')')
    return fail_place(parse->error, &place, "expected base(n) with the number of an earlier target");
  for (size_t i = 0; i < count; i++)
    base = 10 * base + (unsigned)(digits[i] - '0');
  if (base >= index)
    return fail_place(parse->error, &place, "base(%u): this is target %u; the base must be an earlier one", base,
                      index);
  if (base != 0 && !(parse->list->targets[base].flags & CPU_TARGET_CLONE_ALL))
    return fail_place(parse->error, &place, "base(%u): target %u has not clone_all, so it lacks functions", base,
                      base);
  TRY(set_flag(parse, word, target, CPU_TARGET_BASE, 0, "base"));
  target->base = base;
  return PKGIMG_OK;
}

static const struct flag_word {
  const char *name;
  unsigned flag, negated, excludes;
} flag_words[] = {
    {"clone_all", CPU_TARGET_CLONE_ALL, CPU_TARGET_NO_CLONE_ALL, CPU_TARGET_NO_CLONE_ALL | CPU_TARGET_CLONE_ALL},
    {"opt_size", CPU_TARGET_OPT_SIZE, 0, CPU_TARGET_MIN_SIZE},
    {"min_size", CPU_TARGET_MIN_SIZE, 0, CPU_TARGET_OPT_SIZE},
};

// Whether a word (without its sign) is a flag; then it is dealt with.
static bool parse_flag(struct parse *parse, struct word word, char sign, struct cpu_target *target,
                       enum pkgimg_status *status)
{
  struct place place = place_of(parse, word);
  bool base = word.length >= 4 && memcmp(parse->text + word.at, "base", 4) == 0;
  for (size_t i = 0; i < sizeof flag_words / sizeof *flag_words; i++) {
    const struct flag_word *flag = &flag_words[i];
    unsigned bit = sign == '-' ? flag->negated : flag->flag;
    if (!is(parse, word, flag->name))
      continue;
    *status = bit ? set_flag(parse, word, target, bit, flag->excludes & ~bit, flag->name)
                  : fail_place(parse->error, &place, "%s cannot be negated", flag->name);
    return true;
  }
  if (base)
    *status = sign ? fail_place(parse->error, &place, "base(n) takes no sign") : parse_base(parse, word, target);
  return base;
}

// ---- features

static enum pkgimg_status unknown_feature(struct parse *parse, struct word word)
{
  struct place place = place_of(parse, word);
  struct guess guess = {.word = parse->text + word.at, .length = word.length};
  for (unsigned i = 0; i < parse->isa->feature_count; i++)
    guess_offer(&guess, parse->isa->features[i].name);
  for (size_t i = 0; i < sizeof flag_words / sizeof *flag_words; i++)
    guess_offer(&guess, flag_words[i].name);
  if (word.length == 0)
    return fail_place(parse->error, &place, "expected a feature");
  return fail_place(parse->error, &place, "unknown feature \"%.*s\"%s", WORD(parse, word),
                    guess_text(&guess).text);
}

static enum pkgimg_status parse_feature(struct parse *parse, struct word word, char sign, struct said *said,
                                        struct cpu_target *target)
{
  const struct cpu_isa *isa = parse->isa;
  struct place place = place_of(parse, word);
  int found = cpu_feature_find(isa, parse->text + word.at, word.length);
  unsigned feature = (unsigned)found;
  if (found < 0)
    return unknown_feature(parse, word);
  if (sign == '-' && cpu_has(&isa->baseline, feature))
    return fail_place(parse->error, &place, "every %s machine has \"%s\": it cannot be turned off", isa->name,
                      isa->features[feature].name);
  if (cpu_has(&said->on, feature) || cpu_has(&said->off, feature))
    return fail_place(parse->error, &place, "\"%s\" is named twice", isa->features[feature].name);
  cpu_add(sign == '-' ? &said->off : &said->on, feature);
  if (sign == '-') {
    cpu_features_disable(isa, &target->features, feature);
    return PKGIMG_OK;
  }
  cpu_features_enable(isa, &target->features, feature);
  cpu_features_enable(isa, &said->brought, feature);
  return PKGIMG_OK;
}

// ---- the words of a target

static struct word word_at(const struct parse *parse, size_t at, const char *ends)
{
  return (struct word){at, strcspn(parse->text + at, ends)};
}

static char take_sign(const struct parse *parse, struct word *word)
{
  char sign = (char)(word->length ? parse->text[word->at] : 0);
  if (sign != '+' && sign != '-')
    return 0;
  word->at++;
  word->length--;
  return sign;
}

// Defaults of what words turned on, unless words turned them off; as clang, after all words.
static void add_defaults(const struct cpu_isa *isa, const struct said *said, struct cpu_target *target)
{
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (cpu_has(&said->brought, i) && cpu_has(&target->features, i)) {
      struct cpu_features defaults = cpu_feature_defaults(isa, i);
      defaults = cpu_without(&defaults, &said->off);
      target->features = cpu_union(&target->features, &defaults);
    }
}

// What LLVM lists for the model and must be told to leave out. It emits no SYSTEM feature by itself: those stay,
// so that intrinsics still compile, unless a word turns them off.
static struct cpu_features left_out(const struct cpu_isa *isa, const struct said *said,
                                    const struct cpu_target *target)
{
  struct cpu_features harmless = cpu_features_of_use(isa, CPU_USE_SYSTEM);
  struct cpu_features off = cpu_without(&target->model->features, &target->features);
  for (unsigned i = 0; i < isa->feature_count; i++)
    if (cpu_has(&said->off, i))
      cpu_features_disable(isa, &harmless, i);
  return cpu_without(&off, &harmless);
}

static enum pkgimg_status parse_words(struct parse *parse, struct word whole, size_t at, struct cpu_target *target)
{
  struct said said = {.on = {{0}}};
  while (at < whole.at + whole.length) {
    struct word word = word_at(parse, at + 1, ",;");
    enum pkgimg_status status;
    at = word.at + word.length;
    char sign = take_sign(parse, &word);
    if (!parse_flag(parse, word, sign, target, &status))
      status = parse_feature(parse, word, sign, &said, target);
    TRY(status);
  }
  add_defaults(parse->isa, &said, target);
  target->off = left_out(parse->isa, &said, target);
  target->vector_bits = cpu_features_width(parse->isa, &target->features);
  return PKGIMG_OK;
}

// ---- CPUs

static const struct {
  const char *name, *llvm;
} aliases[] = {
    // Julia's other names (those that LLVM does not know by itself), and spellings that people try.
    {"x86_64", "x86-64"},       {"x86-64-v1", "x86-64"},   {"x86_64_v2", "x86-64-v2"}, {"x86_64_v3", "x86-64-v3"},
    {"x86_64_v4", "x86-64-v4"}, {"glm", "goldmont"},       {"armv8-a", "generic"},     {"apple-m1", "apple-a14"},
    {"apple-m2", "apple-a15"},  {"apple-m3", "apple-a16"}, {"cyclone", "apple-a7"},
};

const char *cpu_alias(const char *name, size_t length)
{
  for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
    if (strlen(aliases[i].name) == length && memcmp(aliases[i].name, name, length) == 0)
      return aliases[i].llvm;
  return NULL;
}

static enum pkgimg_status unknown_cpu(struct parse *parse, struct word word)
{
  struct place place = place_of(parse, word);
  struct guess guess = {.word = parse->text + word.at, .length = word.length};
  for (unsigned i = 0; i < parse->isa->model_count; i++)
    guess_offer(&guess, parse->isa->models[i].name);
  if (word.length == 0)
    return fail_place(parse->error, &place, "expected the name of a CPU");
  if (is(parse, word, "help"))
    return fail_place(parse->error, &place, "help stands alone");
  if (is(parse, word, "sysimage"))
    return fail_place(parse->error, &place, "sysimage can only be the first target, without further words");
  if (cpu_feature_find(parse->isa, place.text + word.at, word.length) >= 0)
    return fail_place(parse->error, &place, "\"%.*s\" is a feature; a target begins with a CPU",
                      WORD(parse, word));
  return fail_place(parse->error, &place, "unknown %s CPU \"%.*s\"%s", parse->isa->name, WORD(parse, word),
                    guess_text(&guess).text);
}

static enum pkgimg_status take_native(struct parse *parse, struct word word, struct cpu_target *target)
{
  const struct cpu_host *host = parse->request->host;
  struct cpu_features code = cpu_features_of_use(parse->isa, CPU_USE_CODE);
  struct place place = place_of(parse, word);
  if (!host || host->isa != parse->isa)
    return fail_place(parse->error, &place, "native: this machine is no %s machine", parse->isa->name);
  target->model = cpu_model_find(parse->isa, host->llvm_name, strlen(host->llvm_name));
  target->features = cpu_common(&host->features, &code);
  target->flags |= CPU_TARGET_NATIVE;
  return PKGIMG_OK;
}

static enum pkgimg_status parse_cpu(struct parse *parse, struct word word, struct cpu_target *target)
{
  const char *name = parse->text + word.at;
  snprintf(target->name, sizeof target->name, "%.*s", WORD(parse, word));
  if (is(parse, word, "native"))
    return take_native(parse, word, target);
  const char *llvm = is(parse, word, "generic") ? parse->isa->generic : cpu_alias(name, word.length);
  target->model =
      llvm ? cpu_model_find(parse->isa, llvm, strlen(llvm)) : cpu_model_find(parse->isa, name, word.length);
  if (!target->model)
    return unknown_cpu(parse, word);
  target->features = cpu_model_needs(parse->isa, target->model);
  return PKGIMG_OK;
}

// ---- the list

static enum pkgimg_status parse_target(struct parse *parse, struct word word)
{
  struct place place = place_of(parse, word);
  if (parse->list->count == CPU_TARGETS_MAX)
    return fail_place(parse->error, &place, "more than %d targets", CPU_TARGETS_MAX);
  struct cpu_target *target = &parse->list->targets[parse->list->count];
  *target = (struct cpu_target){.base = 0};
  struct word cpu = word_at(parse, word.at, ",;");
  TRY(parse_cpu(parse, cpu, target));
  TRY(parse_words(parse, word, cpu.at + cpu.length, target));
  parse->list->count++;
  return PKGIMG_OK;
}

static enum pkgimg_status parse_all(struct parse *parse);

static enum pkgimg_status take_sysimage(struct parse *parse, struct word word)
{
  struct place place = place_of(parse, word);
  struct parse inner = *parse;
  inner.in_sysimage = true;
  inner.what = "the system image's targets";
  inner.text = parse->request->sysimage;
  if (!inner.text)
    return fail_place(parse->error, &place, "sysimage: there is no system image to take the targets from");
  return parse_all(&inner);
}

static enum pkgimg_status parse_all(struct parse *parse)
{
  struct place start = {parse->what, parse->text, 0, 0};
  if (!*parse->text)
    return fail_place(parse->error, &start, "expected a target, such as \"native\" or \"generic;haswell\"");
  if (!parse->in_sysimage && strlen(parse->text) > CPU_TARGET_STRING_MAX)
    return fail_place(parse->error, &start, "longer than %d bytes", CPU_TARGET_STRING_MAX);
  for (size_t at = 0;; at++) {
    struct word word = word_at(parse, at, ";");
    bool sysimage = at == 0 && !parse->in_sysimage && is(parse, word, "sysimage");
    TRY(sysimage ? take_sysimage(parse, word) : parse_target(parse, word));
    at += word.length;
    if (!parse->text[at])
      return PKGIMG_OK;
  }
}

enum pkgimg_status cpu_targets_parse(const struct cpu_target_request *request, struct cpu_target_list *list,
                                     struct pkgimg_error *error)
{
  struct parse parse = {.request = request,
                        .isa = request->isa,
                        .what = request->what,
                        .text = request->text,
                        .list = list,
                        .error = error};
  list->isa = request->isa;
  list->count = 0;
  list->help = strcmp(request->text, "help") == 0;
  return list->help ? PKGIMG_OK : parse_all(&parse);
}

void cpu_target_text(const struct cpu_isa *isa, const struct cpu_target *target, struct cpu_target_text *text)
{
  size_t length = 0;
  text->cpu = target->model->name;
  text->features[0] = 0;
  for (int sign = 0; sign < 2; sign++)
    for (unsigned i = 0; i < isa->feature_count && length < sizeof text->features; i++)
      if (cpu_has(sign ? &target->off : &target->features, i))
        length += (size_t)snprintf(text->features + length, sizeof text->features - length, "%s%c%s",
                                   length ? "," : "", sign ? '-' : '+', isa->features[i].name);
}

struct cpu_target_choice cpu_target_pick(const char *option)
{
  static const char *const variables[] = {"PKGIMG_CPU_TARGET", "JULIA_CPU_TARGET"};
  if (option)
    return (struct cpu_target_choice){option, "--cpu-target"};
  for (int i = 0; i < 2; i++) {
    const char *text = getenv(variables[i]);
    if (text && *text)
      return (struct cpu_target_choice){text, variables[i]};
  }
  return (struct cpu_target_choice){NULL, NULL};
}
