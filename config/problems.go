package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trailship/trailship/config/value"
)

// An Error is everything that is wrong with one configuration file, in the order of its lines.
type Error struct{ Problems []Problem }

// A Problem is one thing wrong with a configuration file.
type Problem struct {
	File   string
	Line   int    // from 1; where the key stands, else the nearest section around it
	Key    string // YAML path such as sources.sqs[0].queue_url; "" when the text is no YAML
	Advice string // what is wrong and what would be right; never a secret
}

// Error shows the problems one a line, each as FILE:LINE: key: advice.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (p Problem) String() string {
	if p.Key == "" {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Advice)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.File, p.Line, p.Key, p.Advice)
}

// report collects problems and knows on which line each key stands.
type report struct {
	file     string
	lines    map[string]int  // by path
	excused  map[string]bool // paths on which later problems are only consequences of one already reported
	holed    map[string]bool // sections with an unknown key: that they lack something follows from it
	expanded map[string]expansion
	problems []Problem
}

// expansion is a value that came from the environment, and what the file has in its place.
type expansion struct{ text, written string }

func newReport(file string) *report {
	return &report{file: file, lines: map[string]int{}, excused: map[string]bool{}, holed: map[string]bool{}, expanded: map[string]expansion{}}
}

// add notes a problem at a line. What came from the environment may be a secret in the wrong place: the problem shows what
// the file says instead. Values of a few letters stay, lest they are found inside of words.
func (r *report) add(line int, path, format string, args ...any) {
	advice := fmt.Sprintf(format, args...)
	if e := r.expanded[path]; len(e.text) > 3 {
		advice = strings.ReplaceAll(advice, e.text, e.written)
	}
	r.problems = append(r.problems, Problem{File: r.file, Line: max(line, 1), Key: path, Advice: value.Mask(advice)})
	if path != "" {
		r.excused[path] = true
	}
}

// absorb notes what a Validate returned: Problems by their path, anything else without one.
func (r *report) absorb(err error) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			r.absorb(e)
		}
		return
	}
	var p *value.Problem
	if !errors.As(err, &p) {
		r.add(1, "", "%v", err)
		return
	}
	if !r.holed[p.Key] && !r.excuse(p.Key) {
		r.add(r.line(p.Key), p.Key, "%s", p.Advice)
	}
}

// excuse reports whether a problem of the path was to be expected: its key, or a section around it, is already known to
// be wrong, so that the value that was validated is not the one in the file.
func (r *report) excuse(path string) bool {
	for ; path != ""; path = parent(path) {
		if r.excused[path] {
			return true
		}
	}
	return false
}

// line is where the path stands, or the nearest section around it that the file has.
func (r *report) line(path string) int {
	for ; path != ""; path = parent(path) {
		if n, ok := r.lines[path]; ok {
			return n
		}
	}
	return 1
}

// parent cuts the last key or index off a path.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

// err is an *Error of all problems, or nil.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return &Error{Problems: slices.Compact(r.problems)}
}
