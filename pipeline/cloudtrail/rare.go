package cloudtrail

// comma reads what stands behind a member: a comma, or the end of the container. It returns the next token and whether
// that is a member.
func (s *scanner) comma(i int) (int, bool) {
	if i = s.token(i); i < 0 {
		return i, false
	}
	switch s.text[i] {
	case s.in.last:
		return i, false
	case ',':
		i = s.token(i + 1)
		return i, i >= 0
	case ']', '}':
		return s.unexpected(i, "the other closing bracket"), false
	}
	return s.unexpected(i, "a comma or the end of the object or array"), false
}

// key reads any key, with its colon, into n.
func (s *scanner) key(i int, n *node) int {
	if s.text[i] != '"' {
		return s.unexpected(i, "a key's quote")
	}
	end, f := s.anyString(i + 1)
	if end < 0 {
		return end
	}
	n.keyStart, n.keyEnd, n.flags = uint32(i+1), uint32(end-1), f*(flagKeyEscaped/flagEscaped)
	return s.colon(end)
}

// colon reads what stands behind a key.
func (s *scanner) colon(i int) int {
	if i = s.token(i); i < 0 {
		return i
	}
	if s.text[i] != ':' {
		return s.unexpected(i, "a colon")
	}
	return s.token(i + 1)
}

// token skips white space. There is a byte at the index that it returns.
func (s *scanner) token(i int) int {
	for ; i < len(s.text); i++ {
		if !space(s.text[i]) {
			return i
		}
		s.in.flags |= flagUneven
	}
	return s.fail(errShort)
}

// quoted reads a string at i that is short enough to be void, or whose end was not in sight: then end is 0.
func (s *scanner) quoted(i, end int, n *node) int {
	f := flags(0)
	if end == 0 {
		if end, f = s.anyString(i + 1); end < 0 {
			return end
		}
	}
	n.start, n.end, n.kind = uint32(i), uint32(end), KindString
	n.flags |= f
	s.judge(n, s.void(s.text[i+1:end-1], f))
	return end
}

// anyString reads a string's content from i, however long it is and whatever is in it, to behind its closing quote.
func (s *scanner) anyString(i int) (int, flags) {
	if s.base+len(s.text) <= markSpan {
		for i+sight < len(s.text) && s.marks.at(s.base+i) == 0 {
			i += sight
		}
		if end := s.endInSight(i); end > 0 {
			return end, 0
		}
	}
	end, f, ascii, err := scanString(s.text, i)
	if err != nil {
		return s.fail(err), 0
	}
	s.ascii = s.ascii && ascii
	return end, f
}

// scalar reads a number or a word into n.
func (s *scanner) scalar(i int, n *node) int {
	end, kind, err := scanScalar(s.text, i)
	if err != nil {
		return s.fail(err)
	}
	n.start, n.end, n.kind = uint32(i), uint32(end), kind
	s.judge(n, kind == KindNull)
	return end
}

func (s *scanner) unexpected(i int, want string) int {
	return s.fail(&syntaxError{at: i, want: want, got: s.text[i]})
}

func (s *scanner) fail(err error) int {
	s.err = err
	return -1
}

// longer makes the tape longer.
func (s *scanner) longer() []node {
	r := s.rec
	r.nodes = append(r.nodes, make([]node, len(r.nodes)+64)...)
	return r.nodes
}

// again settles a field that was seen before, under this key or another.
func (s *scanner) again(f Field) {
	s.rec.respelled = s.rec.respelled || f != Unknown
	s.hideRepeat()
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// void reports whether a string is void, however it is written.
func (s *scanner) void(content []byte, f flags) bool {
	if f&flagEscaped == 0 {
		return voidText(content)
	}
	if len(content) > len("none")*len(`\u0000`) {
		return false
	}
	r := s.rec
	scratch := len(r.text)
	void := voidText(r.unescape(content))
	r.text = r.text[:scratch]
	return void
}

// voidText reports whether a string of this content counts as absent. Source: MAPPING section 1.
func voidText(s []byte) bool {
	return len(s) == 0 || string(s) == "-" || string(s) == "none"
}
