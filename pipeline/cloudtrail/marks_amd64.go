package cloudtrail

// mark sets a byte of to for each eight of text, whose length is a multiple of 64 and eight times that of to. It is in
// marks_amd64.s, in the instructions that every amd64 processor has (SSE2), and does what markPlain does.
//
//go:noescape
func mark(to, text []byte)
