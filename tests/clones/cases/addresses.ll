; SPDX-License-Identifier: MIT
; Addresses in data, constant or not, aligned or not, are those of the chosen body, and equal wherever they are taken.
;@ clone ask 0 1 2
;@ run 62 -
;@ run 31 avx2
;@ run 31 sse3
declare i1 @pkgimg.cpu_has.avx2()
define i32 @ask() noinline {
  %q = call i1 @pkgimg.cpu_has.avx2()
  %r = select i1 %q, i32 2, i32 1
  ret i32 %r
}
@data = global ptr @ask
@constant = constant [2 x ptr] [ptr @ask, ptr @ask]
@unaligned = global <{ i8, ptr, i8 }> <{ i8 1, ptr @ask, i8 2 }>, align 1
@beyond = global ptr getelementptr (i8, ptr @ask, i64 1)
define i32 @same(ptr %a, ptr %b) noinline {
  %c = icmp eq ptr %a, %b
  %r = zext i1 %c to i32
  ret i32 %r
}
define i32 @main(i32 %n, ptr %v) {
  %a = load volatile ptr, ptr @data
  %b = load volatile ptr, ptr getelementptr (ptr, ptr @constant, i64 1)
  %c = load volatile ptr, ptr getelementptr (i8, ptr @unaligned, i64 1), align 1
  %d = load volatile ptr, ptr @beyond
  %e = getelementptr i8, ptr %d, i64 -1
  %s1 = call i32 @same(ptr %a, ptr %b)
  %s2 = call i32 @same(ptr %a, ptr %c)
  %s3 = call i32 @same(ptr %a, ptr %e)
  %s4 = call i32 @same(ptr %a, ptr @ask)
  %r1 = call i32 %a()
  %r2 = call i32 %b()
  %r3 = call i32 %c()
  %r4 = call i32 %e()
  %x1 = add i32 %r1, %r2
  %x2 = add i32 %r3, %r4
  %x3 = add i32 %x1, %x2
  %x4 = mul i32 %x3, 31
  %x5 = sdiv i32 %x4, 4
  %y1 = and i32 %s1, %s2
  %y2 = and i32 %s3, %s4
  %y3 = and i32 %y1, %y2
  %r = mul i32 %x5, %y3
  ret i32 %r
}
