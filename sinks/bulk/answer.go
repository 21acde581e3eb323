package bulk

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// The longest pieces of an answer that are kept. Reasons can quote whole documents.
const (
	maxType   = 128
	maxReason = 512
	maxKey    = 32
)

// errAnswer is an answer that is not what the _bulk API answers: cut short, HTML of a proxy, or something else.
var errAnswer = errors.New("the answer is not one of the _bulk API")

// An item is what the cluster says about one document of a request.
type item struct {
	status       int
	hidden       bool // _index names a backing index (.ds-…) or a failure store (.fs-…) instead of a plain index
	failureStore bool // the document went into the data stream's failure store
	kind, reason text // of the error, empty when there is none
}

// text is a piece of answer.text.
type text struct{ from, to int }

// answer reads the answer of the _bulk API (Elasticsearch reference, page "Bulk index or delete documents"; OpenSearch
// API reference, page "Bulk") as it streams in, without building a tree. An answer of an error, {"error":…,"status":…},
// is read by the same code into problem. An answer is reused for many requests and grows to the largest.
type answer struct {
	items   []item
	problem item

	text    []byte // types and reasons, one behind the other
	key     []byte
	source  io.Reader
	window  []byte // what was read and not looked at is window[at:end]
	at, end int
}

// of returns a piece of text. It is good until the next read.
func (a *answer) of(t text) []byte { return a.text[t.from:t.to] }

// read reads a whole answer. On an error what it has read so far must not be used.
func (a *answer) read(source io.Reader) error {
	a.items, a.text, a.problem = a.items[:0], a.text[:0], item{}
	a.source, a.at, a.end = source, 0, 0
	if a.window == nil {
		a.window = make([]byte, 32<<10)
	}
	defer func() { a.source = nil }()
	if !a.object((*answer).topLevel) {
		return fmt.Errorf("reading item %d: %w", len(a.items), errAnswer)
	}
	if a.next() != 0 {
		return fmt.Errorf("reading behind the last item: %w", errAnswer)
	}
	return nil
}

// topLevel reads the value of one key of the answer.
func (a *answer) topLevel() bool {
	switch string(a.key) {
	case "items":
		return a.array((*answer).oneItem)
	case "error":
		return a.failure(&a.problem)
	case "status":
		return a.number(&a.problem.status)
	}
	return a.skip()
}

// oneItem reads {"create":{…}}.
func (a *answer) oneItem() bool {
	a.items = append(a.items, item{})
	return a.object((*answer).operation)
}

func (a *answer) operation() bool { return a.object((*answer).itemField) }

func (a *answer) itemField() bool {
	it := &a.items[len(a.items)-1]
	switch string(a.key) {
	case "status":
		return a.number(&it.status)
	case "_index":
		var name text
		if a.next() != '"' || !a.string(&name, 4) {
			return false
		}
		prefix := string(a.of(name))
		it.hidden = prefix == ".ds-" || prefix == ".fs-"
		a.text = a.text[:name.from]
		return true
	case "failure_store":
		var use text
		if a.next() != '"' || !a.string(&use, maxKey) {
			return false
		}
		it.failureStore = string(a.of(use)) == "used"
		a.text = a.text[:use.from]
		return true
	case "error":
		return a.failure(it)
	}
	return a.skip()
}

// failure reads an error: an object, or a plain string in answers of some proxies and old servers.
func (a *answer) failure(it *item) bool {
	switch a.next() {
	case '"':
		return a.string(&it.reason, maxReason)
	case '{':
		if it == &a.problem {
			return a.object((*answer).problemField)
		}
		return a.object((*answer).errorField)
	}
	return a.skip()
}

func (a *answer) problemField() bool { return a.errorOf(&a.problem) }
func (a *answer) errorField() bool   { return a.errorOf(&a.items[len(a.items)-1]) }

func (a *answer) errorOf(it *item) bool {
	switch key := string(a.key); {
	case key == "type" && a.next() == '"':
		return a.string(&it.kind, maxType)
	case key == "reason" && a.next() == '"':
		return a.string(&it.reason, maxReason)
	}
	return a.skip()
}

// object reads {…}; field reads the value of a.key.
func (a *answer) object(field func(*answer) bool) bool {
	if a.next() != '{' {
		return false
	}
	a.at++
	if a.next() == '}' {
		a.at++
		return true
	}
	for {
		if a.next() != '"' || !a.readKey() || a.next() != ':' {
			return false
		}
		a.at++
		if !field(a) {
			return false
		}
		switch a.next() {
		case ',':
			a.at++
		case '}':
			a.at++
			return true
		default:
			return false
		}
	}
}

// array reads […]; element reads one value of it.
func (a *answer) array(element func(*answer) bool) bool {
	if a.next() != '[' {
		return false
	}
	a.at++
	if a.next() == ']' {
		a.at++
		return true
	}
	for {
		if !element(a) {
			return false
		}
		switch a.next() {
		case ',':
			a.at++
		case ']':
			a.at++
			return true
		default:
			return false
		}
	}
}

// fill reads on when the window is used up. It reports whether there is a byte at a.at.
func (a *answer) fill() bool {
	for empty := 0; a.at == a.end; empty++ {
		n, err := a.source.Read(a.window)
		a.at, a.end = 0, max(n, 0)
		if n <= 0 && (err != nil || empty > 100) {
			return false
		}
	}
	return true
}

// next skips white space and returns the byte that comes next without taking it, 0 at the end.
func (a *answer) next() byte {
	for a.fill() {
		switch c := a.window[a.at]; c {
		case ' ', '\t', '\r', '\n':
			a.at++
		default:
			return c
		}
	}
	return 0
}

// readKey reads a key, the opening quote of which is next, into a.key.
func (a *answer) readKey() bool {
	var key text
	if !a.string(&key, maxKey) {
		return false
	}
	a.key = append(a.key[:0], a.of(key)...)
	a.text = a.text[:key.from]
	return true
}

// string reads a string, the opening quote of which is next, and keeps at most limit bytes of it.
func (a *answer) string(into *text, limit int) bool {
	a.at++
	into.from = len(a.text)
	for a.fill() {
		i := a.at
		for i < a.end && a.window[i] != '"' && a.window[i] != '\\' && a.window[i] >= ' ' {
			i++
		}
		if room := limit - (len(a.text) - into.from); room > 0 {
			a.text = append(a.text, a.window[a.at:min(i, a.at+room)]...)
		}
		a.at = i
		if i == a.end {
			continue
		}
		switch a.window[i] {
		case '"':
			a.at++
			into.to = len(a.text)
			return true
		case '\\':
			if !a.escape(into.from + limit) {
				return false
			}
		default:
			return false
		}
	}
	return false
}

// escape reads an escape. Those of characters are kept as they are: the text is for people.
func (a *answer) escape(limit int) bool {
	a.at++
	if !a.fill() {
		return false
	}
	c := a.window[a.at]
	a.at++
	keep := []byte{c}
	switch c {
	case '"', '\\', '/':
	case 'n', 't', 'r', 'b', 'f':
		keep[0] = ' '
	default:
		keep = []byte{'\\', c}
	}
	if len(a.text)+len(keep) <= limit {
		a.text = append(a.text, keep...)
	}
	return true
}

// number reads an unsigned whole number; anything else that stands there is read over and leaves 0.
func (a *answer) number(into *int) bool {
	*into = 0
	start := a.next()
	if start < '0' || start > '9' {
		return a.skip()
	}
	for a.fill() {
		c := a.window[a.at]
		if c < '0' || c > '9' {
			return true
		}
		a.at++
		if *into < math.MaxInt32/10 {
			*into = *into*10 + int(c-'0')
		}
	}
	return false
}

// skip reads over a value of any kind.
func (a *answer) skip() bool {
	depth := 0
	for {
		switch c := a.next(); c {
		case 0:
			return false
		case '"':
			var none text
			if !a.string(&none, 0) {
				return false
			}
		case '{', '[':
			a.at++
			depth++
		case '}', ']':
			if depth == 0 {
				return false
			}
			a.at++
			depth--
		case ',', ':':
			if depth == 0 {
				return false
			}
			a.at++
		default:
			if !a.word() {
				return false
			}
		}
		if depth == 0 {
			return true
		}
	}
}

// word reads over a number, true, false or null.
func (a *answer) word() bool {
	from := 0
	for a.fill() {
		c := a.window[a.at]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E' {
			a.at++
			from++
			continue
		}
		break
	}
	return from > 0
}
