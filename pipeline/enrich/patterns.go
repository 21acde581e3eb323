package enrich

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/ua-parser/uap-go/uaparser"
)

// patterns are uap-core's patterns of user agents. The library's own parser keeps all 1,200 of them compiled, which is more
// than all else that the daemon keeps. Here a pattern is compiled when a text comes that it may match. It is safe for
// concurrent use.
type patterns struct {
	mu                        sync.Mutex
	agents, systems, machines []pattern // in the order in which they are tried
}

// pattern is one of the library's.
type pattern struct {
	expr  string
	need  need
	reg   **regexp.Regexp                               // the library's, nil while it is not compiled
	match func(text string, into *uaparser.Client) bool // when it is compiled
}

// need is what a text must have for a pattern to match it: of each row at least one part, folded.
type need [][]string

func newPatterns() (*patterns, error) {
	whole, err := uaparser.New()
	if err != nil {
		return nil, fmt.Errorf("reading the patterns of user agents: %w", err)
	}
	p := &patterns{}
	for _, d := range whole.UA {
		p.agents = append(p.agents, newPattern(&d.Reg, func(text string, into *uaparser.Client) bool {
			d.Match(text, into.UserAgent)
			return into.UserAgent.Family != ""
		}))
	}
	for _, d := range whole.OS {
		p.systems = append(p.systems, newPattern(&d.Reg, func(text string, into *uaparser.Client) bool {
			d.Match(text, into.Os)
			return into.Os.Family != ""
		}))
	}
	for _, d := range whole.Device {
		p.machines = append(p.machines, newPattern(&d.Reg, func(text string, into *uaparser.Client) bool {
			d.Match(text, into.Device)
			return into.Device.Family != ""
		}))
	}
	return p, nil
}

// newPattern lets go of what the library has compiled.
func newPattern(reg **regexp.Regexp, match func(text string, into *uaparser.Client) bool) pattern {
	expr := (*reg).String()
	*reg = nil
	return pattern{expr: expr, need: needOf(expr), reg: reg, match: match}
}

// parse is what the library's parser makes of the text.
func (p *patterns) parse(text string) *uaparser.Client {
	into := &uaparser.Client{UserAgent: &uaparser.UserAgent{}, Os: &uaparser.Os{}, Device: &uaparser.Device{}}
	folded := fold(text)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !matched(p.agents, text, folded, into) {
		into.UserAgent.Family = other
	}
	if !matched(p.systems, text, folded, into) {
		into.Os.Family = other
	}
	if !matched(p.machines, text, folded, into) {
		into.Device.Family = other
	}
	return into
}

// matched reports whether one of the patterns matches the text, of which it notes the first one's findings.
func matched(all []pattern, text, folded string, into *uaparser.Client) bool {
	for i := range all {
		if !all[i].need.met(folded) {
			continue
		}
		if *all[i].reg == nil {
			*all[i].reg = regexp.MustCompile(all[i].expr)
		}
		if all[i].match(text, into) {
			return true
		}
	}
	return false
}

func (n need) met(folded string) bool {
	for _, parts := range n {
		if !slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(folded, part) }) {
			return false
		}
	}
	return true
}

func needOf(expr string) need {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil // cannot be: it was compiled once
	}
	return needOfTree(tree)
}

func needOfTree(tree *syntax.Regexp) need {
	switch tree.Op {
	case syntax.OpLiteral:
		return need{{fold(string(tree.Rune))}}
	case syntax.OpCapture, syntax.OpPlus:
		return needOfTree(tree.Sub[0])
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return needOfTree(tree.Sub[0])
		}
	case syntax.OpConcat:
		var all need
		for _, sub := range tree.Sub {
			all = append(all, needOfTree(sub)...)
		}
		return all
	case syntax.OpAlternate:
		var one []string
		for _, sub := range tree.Sub {
			n := needOfTree(sub)
			if len(n) == 0 {
				return nil
			}
			one = append(one, n.longest()...)
		}
		return need{one}
	}
	return nil
}

// longest is the row whose shortest part is the longest.
func (n need) longest() []string {
	least := func(parts []string) int {
		return len(slices.MinFunc(parts, func(a, b string) int { return len(a) - len(b) }))
	}
	return slices.MaxFunc(n, func(a, b []string) int { return least(a) - least(b) })
}

// fold makes all forms of a letter that a pattern may take for each other the same one.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, text)
}
