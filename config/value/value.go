// Package value holds the kinds of configuration values that more than one component has: secrets, sizes, and the error
// that says which key is wrong. It is a leaf: every component's Config is made of it, and config composes them.
package value

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Secret is a value that is never shown: whatever prints it prints "<secret>", or nothing when it is not set.
// Reveal gives the value to the one place that needs it.
type Secret string

// Reveal returns the secret itself. Called only where it goes onto the wire.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "<secret>"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from every encoder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Bytes is a number of bytes, written as 64MiB, 512KiB, 10MB or a plain number.
type Bytes int64

// units are the suffixes of Bytes, longest first.
func units() []struct {
	suffix string
	size   float64
} {
	return []struct {
		suffix string
		size   float64
	}{
		{"KiB", 1 << 10},
		{"MiB", 1 << 20},
		{"GiB", 1 << 30},
		{"KB", 1e3},
		{"MB", 1e6},
		{"GB", 1e9},
		{"B", 1},
		{"", 1},
	}
}

// UnmarshalText reads a size; its error says what would be right.
func (b *Bytes) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	for _, u := range units() {
		number, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(n >= 0 && n*u.size <= math.MaxInt64/2) { // so written, NaN fails too
			break
		}
		*b = Bytes(n * u.size)
		return nil
	}
	return fmt.Errorf("%q is no size: write a number and KiB, MiB or GiB, such as 64MiB", s)
}

// String writes the size with the largest unit that fits it exactly.
func (b Bytes) String() string {
	for _, u := range []struct {
		suffix string
		size   Bytes
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if b >= u.size && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalText writes the size as String does.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// A Problem is one thing wrong with a configuration: which key, and what would be right. A component's Validate returns
// them joined; config adds the section's path in front and the file and line.
type Problem struct {
	Key    string // YAML path below the component's section, such as "sqs[0].queue_url"
	Advice string // what is wrong and what would be right, without the key
}

func (p *Problem) Error() string { return p.Key + ": " + p.Advice }

// Wrong returns a *Problem.
func Wrong(key, format string, args ...any) error {
	return &Problem{Key: key, Advice: fmt.Sprintf(format, args...)}
}

// Under puts section in front of the key of every Problem in err, which may be joined ones or nil.
func Under(section string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, Under(section, e))
		}
		return errors.Join(out...)
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		key := section + "." + p.Key
		if p.Key == "" {
			key = section
		}
		return &Problem{Key: key, Advice: p.Advice}
	}
	return err
}
