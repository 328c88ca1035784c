; SPDX-License-Identifier: MIT
; Static functions get a name that no C source can mean; equal ones of two sources stay two.
;@ clone count.static.static 0 1 2
;@ local count
;@ table main count.static.static
;@ run 5 -
declare i1 @pkgimg.cpu_has.avx2()
define internal i32 @count(i32 %n) noinline {
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
define i32 @main(i32 %n, ptr %v) {
  %k = add i32 %n, 4
  %r = call i32 @count(i32 %k)
  ret i32 %r
}
