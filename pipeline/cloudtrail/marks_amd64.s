#include "textflag.h"

// SIXTEEN gathers the marks of the sixteen bytes at an offset of SI into a register; V, X and T are scratch. X1 holds the
// bytes 2, X2 0x21 and X3 backslashes. With the second bit turned, the quote and all that is below the space are less than
// 0x21, and so are bytes of 0x80 or more, which are negative here.
#define SIXTEEN(offset, V, X, T, to) \
	MOVOU    offset(SI), V; \
	MOVO     V, X;          \
	PXOR     X1, X;         \
	MOVO     X2, T;         \
	PCMPGTB  X, T;          \
	PCMPEQB  X3, V;         \
	POR      T, V;          \
	PMOVMSKB V, to

// func mark(to, text []byte)
TEXT ·mark(SB), NOSPLIT, $0-48
	MOVQ to_base+0(FP), DI
	MOVQ text_base+24(FP), SI
	MOVQ text_len+32(FP), CX
	SHRQ $6, CX
	JZ   done

	MOVQ       $0x0202020202020202, AX
	MOVQ       AX, X1
	PUNPCKLQDQ X1, X1
	MOVQ       $0x2121212121212121, AX
	MOVQ       AX, X2
	PUNPCKLQDQ X2, X2
	MOVQ       $0x5C5C5C5C5C5C5C5C, AX
	MOVQ       AX, X3
	PUNPCKLQDQ X3, X3

sixtyfour:
	SIXTEEN(0, X4, X5, X6, AX)
	SIXTEEN(16, X7, X8, X9, BX)
	SIXTEEN(32, X10, X11, X12, DX)
	SIXTEEN(48, X13, X14, X4, R8)
	SHLQ $16, BX
	SHLQ $32, DX
	SHLQ $48, R8
	ORQ  BX, AX
	ORQ  R8, DX
	ORQ  DX, AX
	MOVQ AX, (DI)
	ADDQ $64, SI
	ADDQ $8, DI
	DECQ CX
	JNZ  sixtyfour

done:
	RET
