; SPDX-License-Identifier: MIT
; How wide vectors are passed depends on the processor, so a function that takes or returns them and one that calls it
; must be compiled alike: what is not cloned itself must not reach another target's body.
;@ plain outer
;@ run 16 -
;@ run 16 avx2
define internal <8 x float> @inner(<8 x float> %a, <8 x float> %b) noinline {
  %r = fadd <8 x float> %a, %b
  ret <8 x float> %r
}
@other = alias i32 (ptr), ptr @outer
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
