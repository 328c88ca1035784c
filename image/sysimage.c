// SPDX-License-Identifier: MIT
//
// The system image below an image, as a load finds it. Files that `pkgimg build` made obey these rules already;
// a load believes no file.
#include "image/baseline.h"
#include "image/runtime.h"

#include <stdlib.h>
#include <string.h>

// Each dependency has found its own; all that have one must have the same.
static enum pkgimg_status find(struct pkgimg_image *image, struct pkgimg_error *error)
{
  for (uint32_t i = 0; i < image->dependency_count; i++) {
    const struct pkgimg_image *found = image->dependencies[i]->sysimage;
    if (found && image->sysimage && found != image->sysimage)
      return fail_name(error, PKGIMG_SYSIMAGE, image->path, image->name,
                       "two system images in its closure: %s, %s", image->sysimage->path, found->path);
    if (found)
      image->sysimage = found;
  }
  return PKGIMG_OK;
}

static enum pkgimg_status keep_baseline(struct pkgimg_image *image, const struct cpu_baseline *baseline,
                                        struct pkgimg_error *error)
{
  image->sysimage = image;
  image->baseline = baseline->features;
  image->baseline_target = strdup(baseline->target);
  return image->baseline_target ? PKGIMG_OK : fail_memory(error, strlen(baseline->target));
}

enum pkgimg_status image_take_sysimage(struct pkgimg_image *image, const struct tables *tables,
                                       struct pkgimg_error *error)
{
  struct cpu_baseline own = tables_baseline(image->path, tables);
  if (is_sysimage(tables))
    return keep_baseline(image, &own, error);
  TRY(find(image, error));
  if (!image->sysimage)
    return PKGIMG_OK;
  struct cpu_baseline below = {image->sysimage->path, image->sysimage->baseline_target, image->sysimage->baseline};
  return cpu_baseline_check(cpu_isa_of_machine(FORMAT_HOST_MACHINE), &own, &below, error);
}
