; SPDX-License-Identifier: MIT
; Assembly beside the functions is in the image once.
;@ clone count 0 1 2
;@ run 5 -
module asm ".globl answer"
module asm ".type answer, @function"
module asm "answer: movl $5, %eax"
module asm "ret"
module asm ".size answer, .-answer"
declare i32 @answer()
declare i1 @pkgimg.cpu_has.avx2()
define i32 @count(i32 %n) noinline {
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
  %a = call i32 @answer()
  %r = call i32 @count(i32 %a)
  ret i32 %r
}
