// SPDX-License-Identifier: MIT
//
// Pages of images that are private to the process: after the load, and at the end.
#ifndef CLI_PAGES_H
#define CLI_PAGES_H

#include "cli/json.h"

#include <pkgimg/pkgimg.h>

#include <stdio.h>

struct page_row {
  char *image;
  enum pkgimg_pages_of of;
  uint64_t after_load, at_end;
};

/// Start from {0}. It lives as long as the process.
struct page_report {
  struct page_row *rows;
  size_t count, capacity;
  bool at_end;  ///< what is counted now was there at the end
  bool failed;  ///< the kernel does not tell, or memory is short: there is no report
};

/// Ask the runtime.
void page_report_take(struct page_report *report, struct pkgimg_runtime *runtime, bool at_end);
void page_report_text(FILE *file, const struct page_report *report);
void page_report_json(struct json *json, const struct page_report *report);

#endif
