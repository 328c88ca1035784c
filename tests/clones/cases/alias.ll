; SPDX-License-Identifier: MIT
; An alias and its function stay at one address, so they have one body; what they call is cloned all the same.
;@ plain named
;@ clone ask 0 1 2
;@ table other ask
;@ run 4 -
;@ run 2 avx2
declare i1 @pkgimg.cpu_has.avx2()
define i32 @ask() noinline {
  %q = call i1 @pkgimg.cpu_has.avx2()
  %r = select i1 %q, i32 2, i32 1
  ret i32 %r
}
@other = alias i32 (), ptr @named
define i32 @named() noinline {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %s = phi i32 [ 0, %entry ], [ %t, %loop ]
  %x = call i32 @ask()
  %t = add i32 %s, %x
  %j = add i32 %i, 1
  %more = icmp slt i32 %j, 2
  br i1 %more, label %loop, label %out
out:
  ret i32 %t
}
@p = global ptr @other
define i32 @main(i32 %n, ptr %v) {
  %f = load volatile ptr, ptr @p
  %r = call i32 %f()
  %c = icmp eq ptr %f, @named
  %s = select i1 %c, i32 %r, i32 99
  ret i32 %s
}
