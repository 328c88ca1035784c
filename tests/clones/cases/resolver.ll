; SPDX-License-Identifier: MIT
; A resolver runs when the words are in place, and may hand out a function with several bodies.
;@ plain pick
;@ clone ask 0 1 2
;@ run 2 -
;@ run 1 avx2
declare i1 @pkgimg.cpu_has.avx2()
define i32 @ask() noinline {
  %q = call i1 @pkgimg.cpu_has.avx2()
  %r = select i1 %q, i32 2, i32 1
  ret i32 %r
}
@chosen = ifunc i32 (), ptr @pick
define internal ptr @pick() {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %j, %loop ]
  %j = add i32 %i, 1
  call void asm sideeffect "", ""()
  %more = icmp slt i32 %j, 4
  br i1 %more, label %loop, label %out
out:
  ret ptr @ask
}
define i32 @main(i32 %n, ptr %v) {
  %r = call i32 @chosen()
  ret i32 %r
}
