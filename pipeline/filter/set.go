package filter

import (
	"errors"
	"fmt"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Config is the filters section. A record that some rule of Drop matches is left out; so is, when Keep has rules, one that
// none of them matches. Drop wins.
type Config struct {
	Drop []Rule `yaml:"drop"`
	Keep []Rule `yaml:"keep"`
}

// A Rule is an event pattern as JSON text, as a configuration or a program has it.
type Rule string

// SetJSON takes the pattern from the configuration, which has it as YAML.
func (r *Rule) SetJSON(text []byte) { *r = Rule(text) }

// MarshalYAML prints the pattern: JSON is YAML too.
func (r Rule) MarshalYAML() ([]byte, error) { return []byte(r), nil }

// Validate compiles every pattern. Its errors are *value.Problem, joined.
func (c Config) Validate() error {
	_, err := New(c)
	return err
}

// notKept is the rule of a record that Keep does not name.
const notKept = "keep"

// A Set is compiled filters. It may be used concurrently.
type Set struct {
	drop, keep []*Pattern
	names      []string // of the rules of drop
}

// New compiles the filters. Its errors are *value.Problem, joined, each with the path of what is wrong.
func New(c Config) (*Set, error) {
	s := &Set{}
	var errs []error
	compile := func(section string, rules []Rule) (all []*Pattern) {
		for i, rule := range rules {
			name := fmt.Sprintf("%s[%d]", section, i)
			p, err := Compile([]byte(rule))
			if err != nil {
				errs = append(errs, value.Under(name, problem(err)))
			}
			all = append(all, p)
		}
		return all
	}
	s.drop, s.keep = compile("drop", c.Drop), compile("keep", c.Keep)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i := range s.drop {
		s.names = append(s.names, fmt.Sprintf("drop[%d]", i))
	}
	return s, nil
}

func problem(err error) error {
	if wrong, ok := errors.AsType[*Error](err); ok {
		return &value.Problem{Key: wrong.Path, Advice: wrong.Advice}
	}
	return err
}

// Empty reports whether nothing is ever left out.
func (s *Set) Empty() bool { return len(s.drop) == 0 && len(s.keep) == 0 }

// Drops reports whether the record is to be left out, and by which rule: drop[0] is the first of Drop, keep stands for
// all of Keep.
func (s *Set) Drops(r *cloudtrail.Record) (rule string, drops bool) {
	for i, p := range s.drop {
		if p.Match(r) {
			return s.names[i], true
		}
	}
	if len(s.keep) == 0 {
		return "", false
	}
	for _, p := range s.keep {
		if p.Match(r) {
			return "", false
		}
	}
	return notKept, true
}
