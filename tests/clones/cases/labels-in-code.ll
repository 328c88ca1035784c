; SPDX-License-Identifier: MIT
; Labels in code, and a function that is its own callee and argument.
;@ targets x86-64;x86-64-v2,clone_all;x86-64-v3,clone_all
;@ clone pick 0 1 2
;@ clone main 0 1 2
;@ run 13 -
;@ run 13 avx2
;@ run 13 sse3
define i32 @pick(i32 %k, ptr %self) noinline {
entry:
  %c = icmp eq i32 %k, 0
  %t = select i1 %c, ptr blockaddress(@pick, %a), ptr blockaddress(@pick, %b)
  %u = call ptr asm "movq $1, $0", "=r,r"(ptr %t)
  indirectbr ptr %u, [label %a, label %b]
a:
  %same = icmp eq ptr %self, @pick
  %r = select i1 %same, i32 3, i32 50
  ret i32 %r
b:
  %l = sub i32 %k, 1
  %x = call i32 @pick(i32 %l, ptr @pick)
  %y = add i32 %x, 5
  ret i32 %y
}
define i32 @main(i32 %n, ptr %v) {
  %r = call i32 @pick(i32 2, ptr @pick)
  ret i32 %r
}
