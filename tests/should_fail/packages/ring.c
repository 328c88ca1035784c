// SPDX-License-Identifier: MIT
// One link of a chain k4 -> k3 -> k2 -> k1 -> k0, which the test bends to rings. -DBELOW names the
// function of the next link, -DHERE that of this one; the last link has none below.
#ifdef LAST
#define BELOW own
static int own(void)
{
  return 0;
}
#else
extern int BELOW(void);
#endif

int HERE(void)
{
  return BELOW() + 1;
}
int value(void)
{
  return HERE();
}
