; SPDX-License-Identifier: MIT
; Half-width numbers gain where a target converts or computes with them. Hiding f16c hides the target.
;@ targets x86-64;x86-64-v2;ivybridge
;@ clone widen 0 2
;@ has widen.target2 vcvtph2ps
;@ lacks widen.target0 vcvtph2ps
;@ plain main
;@ run 3 -
;@ run 3 f16c
define float @widen(i16 %bits) noinline {
  %h = bitcast i16 %bits to half
  %r = fpext half %h to float
  ret float %r
}
define i32 @main(i32 %n, ptr %v) {
  %f = call float @widen(i16 16896)
  %r = fptosi float %f to i32
  ret i32 %r
}
