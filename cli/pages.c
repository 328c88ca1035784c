// SPDX-License-Identifier: MIT
#include "cli/pages.h"

#include "cli/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct page_row *row_of(struct page_report *report, const struct pkgimg_pages *pages)
{
  for (size_t i = 0; i < report->count; i++)
    if (report->rows[i].of == pages->of && strcmp(report->rows[i].image, pages->image) == 0)
      return &report->rows[i];
  if (report->count == report->capacity) {
    size_t capacity = report->capacity ? 2 * report->capacity : 64;
    struct page_row *grown = reallocarray(report->rows, capacity, sizeof *grown);
    if (!grown)
      return NULL;
    report->rows = grown;
    report->capacity = capacity;
  }
  struct page_row *row = &report->rows[report->count];
  *row = (struct page_row){.image = strdup(pages->image), .of = pages->of};
  if (!row->image)
    return NULL;
  report->count++;
  return row;
}

static void visit(void *context, const struct pkgimg_pages *pages)
{
  struct page_report *report = context;
  struct page_row *row = row_of(report, pages);
  report->failed |= !row;
  if (row)
    *(report->at_end ? &row->at_end : &row->after_load) += pages->count;
}

void page_report_take(struct page_report *report, struct pkgimg_runtime *runtime, bool at_end)
{
  report->at_end = at_end;
  report->failed |= pkgimg_runtime_pages(runtime, visit, report, NULL) != PKGIMG_OK;
}

void page_report_text(FILE *file, const struct page_report *report)
{
  enum { MOST = 20 };
  struct style style = style_of(file);
  if (report->failed)
    return;
  fprintf(file, "%spages of its own%s\n  %-29s %11s %11s\n", style.bold, style.off, "", "after load", "at the end");
  for (size_t i = 0; i < report->count && i < MOST; i++) {
    const struct page_row *row = &report->rows[i];
    fprintf(file, "  %-29s %11" PRIu64 " %11" PRIu64 "  ", pkgimg_pages_name(row->of), row->after_load, row->at_end);
    print_text(file, row->image);
    putc('\n', file);
  }
  if (report->count > MOST)
    fprintf(file, "  and %zu more, which --stats=json tells\n", report->count - MOST);
}

void page_report_json(struct json *json, const struct page_report *report)
{
  json_open(json, "pages", '[');
  for (size_t i = 0; i < report->count && !report->failed; i++) {
    const struct page_row *row = &report->rows[i];
    json_open(json, NULL, '{');
    json_string(json, "image", row->image);
    json_string(json, "of", pkgimg_pages_name(row->of));
    json_unsigned(json, "after_load", row->after_load);
    json_unsigned(json, "at_end", row->at_end);
    json_close(json, '}');
  }
  json_close(json, ']');
}
