package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// event is one line of go test -json; its format is on the page cmd/test2json of the Go documentation.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output, instead of Package
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

// results are the tests and packages of one run, in the order they began.
type results struct {
	order []*result
	byKey map[string]*result
}

// result is what became of a test, or of a package as a whole when test is "".
type result struct {
	pkg, test string
	action    string // the last one: pass, fail, skip, or run for a test that was cut off
	output    []string
	children  bool // it has subtests
	failure   bool // a test inside it failed
}

// read takes in all events and writes a line to w for each package that is done.
func (r *results) read(in io.Reader, w io.Writer) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				e = event{Action: "output", Output: string(line)} // of a tool that writes no JSON
			}
			r.take(&e, w)
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the test output: %w", err)
		}
	}
}

func (r *results) take(e *event, w io.Writer) {
	pkg := e.Package
	if pkg == "" {
		pkg, _, _ = strings.Cut(e.ImportPath, " ") // "path [path.test]"
	}
	res := r.get(pkg, e.Test)
	switch e.Action {
	case "output", "build-output":
		res.output = append(res.output, e.Output)
	case "pass", "fail", "skip":
		res.action = e.Action
		if e.Test == "" && e.Action != "skip" {
			fmt.Fprintf(w, "%s  %s  %.1fs\n", e.Action, pkg, e.Elapsed)
		}
		if e.Action == "pass" {
			res.output = nil
		}
	}
}

// get returns the result of a test, new if it was not there, and tells the tests around a new one that it is inside them.
func (r *results) get(pkg, test string) *result {
	key := pkg + " " + test
	if res := r.byKey[key]; res != nil {
		return res
	}
	if r.byKey == nil {
		r.byKey = make(map[string]*result)
	}
	if test != "" {
		r.get(pkg, "") // the package stands before its tests
	}
	res := &result{pkg: pkg, test: test, action: "run"}
	r.byKey[key] = res
	r.order = append(r.order, res)
	r.around(res, func(outer *result) { outer.children = outer.test != "" })
	return res
}

// around calls f for each test that res is inside of, and for its package.
func (r *results) around(res *result, f func(*result)) {
	if res.test == "" {
		return
	}
	for i, c := range res.test {
		if c == '/' && r.byKey[res.pkg+" "+res.test[:i]] != nil {
			f(r.byKey[res.pkg+" "+res.test[:i]])
		}
	}
	f(r.get(res.pkg, ""))
}

// print writes the skipped and the failed tests and returns the counts.
func (r *results) print(w io.Writer) (passed, failed, skipped int) {
	var skips, failures []*result
	// From the end: the tests inside come after those around them.
	for _, res := range slices.Backward(r.order) {
		switch {
		case res.broken():
			failures = append(failures, res)
			r.around(res, func(outer *result) { outer.failure = true })
		case res.test == "" || res.children:
		case res.action == "skip":
			skips = append(skips, res)
		case res.action == "pass":
			passed++
		}
	}
	for _, res := range slices.Backward(skips) {
		fmt.Fprintf(w, "skipped: %s: %s\n", res.name(), res.reason())
	}
	for _, res := range slices.Backward(failures) {
		output := res.output
		if res.action == "run" { // cut off: why is in the output of the package
			output = append(output, r.get(res.pkg, "").output...)
		}
		fmt.Fprintf(w, "\nfailed: %s\n%s", res.name(), strings.Join(output, ""))
	}
	return passed, len(failures), len(skips)
}

// broken says whether res failed of itself: not because of a test inside it. A test that never ended failed too, and so
// did a package without the result of one, such as when it does not compile.
func (res *result) broken() bool {
	switch res.action {
	case "fail":
		return !res.failure
	case "run":
		return res.test != "" && !res.failure
	}
	return false
}

func (res *result) name() string {
	return strings.TrimSpace(res.pkg + " " + res.test)
}

// reason is what a skipped test said.
func (res *result) reason() string {
	var said []string
	for _, line := range res.output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}
