// SPDX-License-Identifier: MIT
//
// Masks, and what of this machine they leave over.
#include "cpuid/detect.h"
#include "cpuid/host.h"
#include "cpuid/model.h"
#include "cpuid/place.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char mask_variable[] = "PKGIMG_CPU_MASK";

static enum pkgimg_status hide_word(const struct cpu_isa *isa, struct place *place, struct cpu_features *hidden,
                                    struct pkgimg_error *error)
{
  if (place->length && place->text[place->at] == '-') {
    place->at++;
    place->length--;
  }
  const char *word = place->text + place->at;
  struct guess guess = {.word = word, .length = place->length};
  int feature = cpu_feature_find(isa, word, place->length);
  if (feature >= 0 && cpu_has(&isa->baseline, (unsigned)feature))
    return fail_place(error, place, "every %s machine has \"%s\": it cannot be hidden", isa->name,
                      isa->features[feature].name);
  if (feature >= 0) {
    *hidden = cpu_union(hidden, &isa->implied_by[feature]);
    return PKGIMG_OK;
  }
  for (unsigned i = 0; i < isa->feature_count; i++)
    guess_offer(&guess, isa->features[i].name);
  if (place->length == 0)
    return fail_place(error, place, "expected the name of a feature");
  return fail_place(error, place, "unknown feature \"%.*s\"%s", (int)(place->length < 64 ? place->length : 64),
                    word, guess_text(&guess).text);
}

enum pkgimg_status cpu_mask_parse(const struct cpu_isa *isa, const char *what, const char *text,
                                  struct cpu_features *hidden, struct pkgimg_error *error)
{
  *hidden = (struct cpu_features){{0}};
  if (!text || !*text)
    return PKGIMG_OK;
  for (size_t at = 0, length;; at += length + 1) {
    length = strcspn(text + at, ",");
    struct place place = {what, text, at, length};
    TRY(hide_word(isa, &place, hidden, error));
    if (!text[at + length])
      return PKGIMG_OK;
  }
}

void cpu_host_hide(struct cpu_host *host, const struct cpu_features *hidden)
{
  struct cpu_features gone = cpu_common(&host->features, hidden);
  unsigned before = cpu_features_width(host->isa, &host->features);
  int sve = cpu_feature_find(host->isa, "sve", 3);
  host->hidden = cpu_union(&host->hidden, &gone);
  host->features = cpu_without(&host->features, &gone);
  unsigned width = cpu_features_width(host->isa, &host->features);
  // The length of SVE vectors is no feature: it goes when SVE goes.
  if (width != before || (sve >= 0 && cpu_has(&gone, (unsigned)sve)))
    host->vector_bits = width;
  host->llvm_name = cpu_model_of_host(host);
}

static pthread_once_t looked = PTHREAD_ONCE_INIT;
static struct cpu_features found;

static void look(void)
{
  found = cpu_host_detect_features();
}

struct cpu_features cpu_host_features(void)
{
  pthread_once(&looked, look);
  return found;
}

static enum pkgimg_status read_mask(const char *mask, struct cpu_features *hidden, struct pkgimg_error *error)
{
  return cpu_mask_parse(cpu_isa_host(), mask ? "--cpu-mask" : mask_variable, mask ? mask : getenv(mask_variable),
                        hidden, error);
}

enum pkgimg_status cpu_usable_features(const char *mask, struct cpu_features *features, struct pkgimg_error *error)
{
  struct cpu_features hidden, all = cpu_host_features();
  TRY(read_mask(mask, &hidden, error));
  *features = cpu_without(&all, &hidden);
  return PKGIMG_OK;
}

enum pkgimg_status cpu_host_open(const char *mask, struct cpu_host *host, struct pkgimg_error *error)
{
  struct cpu_features hidden;
  TRY(read_mask(mask, &hidden, error));
  cpu_host_detect(host);
  cpu_host_hide(host, &hidden);
  return PKGIMG_OK;
}
