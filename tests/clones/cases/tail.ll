; SPDX-License-Identifier: MIT
; A call in tail position stays one, within a group and across its border.
;@ clone inside 0 1 2
;@ clone loop 0 1 2
;@ plain main
;@ direct inside.target2 loop.target2
;@ lacks inside.target2 call
;@ plain tail
;@ table tail inside
;@ lacks tail call
;@ run 8 -
;@ run 8 sse3
declare i1 @pkgimg.cpu_has.avx2()
define i32 @loop(i32 %n) noinline {
entry:
  %asked = call i1 @pkgimg.cpu_has.avx2()
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %j = add i32 %i, 1
  call void asm sideeffect "", ""()
  %more = icmp slt i32 %j, %n
  br i1 %more, label %loop, label %out
out:
  ret i32 %j
}
define i32 @inside(i32 %n) noinline {
  %q = call i1 @pkgimg.cpu_has.avx2()
  call void asm sideeffect "", "r"(i1 %q)
  %m = add i32 %n, 1
  %r = musttail call i32 @loop(i32 %m)
  ret i32 %r
}
define i32 @tail(i32 %n) noinline {
  %r = musttail call i32 @inside(i32 %n)
  ret i32 %r
}
define i32 @main(i32 %n, ptr %v) {
  %k = add i32 %n, 6
  %r = call i32 @tail(i32 %k)
  ret i32 %r
}
