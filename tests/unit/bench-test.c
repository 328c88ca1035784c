// SPDX-License-Identifier: MIT
//
// What benchmarks make of their samples: quantiles and fits whose results are known; and the count of system
// calls, of this program itself as the child, which makes a known number.
#include "bench/calls.h"
#include "bench/fit.h"
#include "bench/statistics.h"
#include "tests/unit/check.h"

#include <math.h>
#include <sys/syscall.h>
#include <unistd.h>

CHECK_MAIN_FILE

static bool near(double found, double expected)
{
  return fabs(found - expected) <= 1e-9 * (1 + fabs(expected));
}

static void test_quantiles(void)
{
  const double odd[] = {5, 1, 4, 2, 3}, even[] = {4, 1, 3, 2}, same[] = {0, 0};
  CHECK(near(statistics_median(odd, 5), 3) && near(statistics_median(even, 4), 2.5));
  CHECK(near(statistics_quantile(odd, 5, 0), 1) && near(statistics_quantile(odd, 5, 1), 5));
  CHECK(near(statistics_quantile(odd, 5, 0.25), 2) && near(statistics_quantile(even, 4, 0.25), 1.75));
  CHECK(near(statistics_quantile(odd, 1, 0.75), 5));
  CHECK(near(statistics_spread(odd, 5), 2.0 / 3) && near(statistics_spread(same, 2), 0));
  CHECK(near(statistics_least(odd, 5), 1));
}

static void test_fits(void)
{
  const double x[] = {1, 10, 100, 1000}, flat[] = {7, 7, 7, 7}, none[] = {1, 0, 2, 3};
  double line[4], power[4], bent[4];
  for (int i = 0; i < 4; i++) {
    line[i] = 40 + 0.5 * x[i];
    power[i] = 3 * pow(x[i], 0.75);
    bent[i] = line[i] * (i % 2 ? 1.25 : 0.8);
  }
  struct fit fit = fit_affine(x, line, 4);
  CHECK(fit.known && near(fit.constant, 40) && near(fit.slope, 0.5) && near(fit.r2, 1));
  fit = fit_power(x, power, 4);
  CHECK(fit.known && near(fit.constant, 3) && near(fit.slope, 0.75) && near(fit.r2, 1));
  fit = fit_affine(x, flat, 4);
  CHECK(fit.known && near(fit.constant, 7) && near(fit.slope, 0) && near(fit.r2, 0));
  fit = fit_affine(x, bent, 4);
  CHECK(fit.known && fit.r2 > 0.5 && fit.r2 < 0.999);
  CHECK(!fit_affine(x, line, 1).known && !fit_affine(flat, line, 4).known);
  CHECK(!fit_affine(x, none, 4).known && !fit_power(x, none, 4).known && !fit_power(none, x, 4).known);
}

// Relative errors: points far out that no line meets must not draw it away from the near ones.
static void test_weights(void)
{
  const double x[] = {1, 2, 1000, 2000}, y[] = {10, 11, 1000, 500};
  struct fit fit = fit_affine(x, y, 4);
  CHECK(fit.constant > 5 && fit.constant < 15);
}

// ---- system calls

static int be_child(const char *number)
{
  char *end;
  long calls = strtol(number, &end, 10);
  if (*end || calls < 0 || calls > 1000)
    return 2;
  (void)getppid();
  for (long i = 0; i < calls; i++)
    syscall(SYS_getpgid, 0);
  (void)getppid();
  return 0;
}

static struct calls count(int calls)
{
  struct command command = {0};
  command_add(&command, "/proc/self/exe");
  command_add(&command, "%d", calls);
  struct calls result = calls_count(&command);
  command_deinit(&command);
  return result;
}

static void test_calls(void)
{
  struct calls none = count(0), some = count(23);
  if (!none.known) {
    fprintf(stderr, "processes may not be traced here\n");
    return;
  }
  CHECK(some.known && none.load == 0 && some.load == 23);
  CHECK(none.all > 0 && some.all == none.all + 23);
}

int main(int argc, char **argv)
{
  if (argc > 1)
    return be_child(argv[1]);
  test_quantiles();
  test_fits();
  test_weights();
  test_calls();
  return check_verdict();
}
