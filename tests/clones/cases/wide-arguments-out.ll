; SPDX-License-Identifier: MIT
; The other direction: a body for a better processor hands wide vectors to what has one body only.
;@ plain inner
;@ run 16 -
;@ run 16 avx2
@other = alias <8 x float> (<8 x float>, <8 x float>), ptr @inner
define <8 x float> @inner(<8 x float> %a, <8 x float> %b) noinline {
  %r = fadd <8 x float> %a, %b
  ret <8 x float> %r
}
define i32 @outer(ptr %p) noinline {
  %a = load <8 x float>, ptr %p, align 4
  %s = call <8 x float> @inner(<8 x float> %a, <8 x float> %a)
  %x = extractelement <8 x float> %s, i32 7
  %i = fptosi float %x to i32
  ret i32 %i
}
@data = global [8 x float] [float 1.0,float 2.0,float 3.0,float 4.0,float 5.0,float 6.0,float 7.0,float 8.0]
define i32 @main(i32 %n, ptr %v) {
  %r = call i32 @outer(ptr @data)
  ret i32 %r
}
