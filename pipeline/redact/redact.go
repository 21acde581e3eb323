// Package redact takes what must not leave the process out of records: values at named paths become null, or a hash that
// still tells equal ones apart. It works on the record's own text, before anything else is made of it, so that documents,
// event.original and dead letters are redacted alike.
package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// Config is the output.redact section. A path names keys from the record's top, with dots between them; * is any key. It
// leads into every element of an array.
type Config struct {
	Drop        []string     `yaml:"drop"`          // what becomes null
	Hash        []string     `yaml:"hash"`          // what becomes its HMAC-SHA-256, in hex
	HashKey     value.Secret `yaml:"hash_key"`      // of the hash; without one, short values can be guessed
	HashKeyFile string       `yaml:"hash_key_file"` // or a file that holds it
}

// Validate returns every Problem of the section, joined.
func (c Config) Validate() error {
	var errs []error
	for section, paths := range map[string][]string{"drop": c.Drop, "hash": c.Hash} {
		for i, path := range paths {
			if path == "" || strings.HasPrefix(path, ".") || strings.HasSuffix(path, ".") || strings.Contains(path, "..") {
				errs = append(errs, value.Wrong(fmt.Sprintf("%s[%d]", section, i), "%q is no path: write keys with dots between them, such as requestParameters.password", path))
			}
		}
	}
	if len(c.Hash) > 0 && c.HashKey == "" && c.HashKeyFile == "" {
		errs = append(errs, value.Wrong("hash_key", "without a key a hash of a short value can be guessed: write a secret of your own, or hash_key_file"))
	}
	return errors.Join(errs...)
}

// step is a place on the way to what is redacted.
type step struct {
	keys       map[string]*step
	drop, hash bool
}

// A Redactor rewrites records. It may be used concurrently.
type Redactor struct {
	root step
	key  []byte
}

// New makes a Redactor, nil when nothing is to be redacted. c is valid.
func New(c Config) *Redactor {
	if len(c.Drop)+len(c.Hash) == 0 {
		return nil
	}
	r := &Redactor{key: []byte(c.HashKey.Reveal())}
	for _, path := range c.Hash {
		r.root.at(path).hash = true
	}
	for _, path := range c.Drop {
		r.root.at(path).drop = true
	}
	return r
}

func (s *step) at(path string) *step {
	for key := range strings.SplitSeq(path, ".") {
		if s.keys == nil {
			s.keys = map[string]*step{}
		}
		next := s.keys[key]
		if next == nil {
			next = &step{}
			s.keys[key] = next
		}
		s = next
	}
	return s
}

// anyKey is the step of a path that every key takes.
const anyKey = "*"

// Append appends the record's text as it may leave the process, and reports whether it differs from what was read; if not,
// nothing is appended.
func (r *Redactor) Append(dst []byte, rec *cloudtrail.Record) ([]byte, bool) {
	w := writer{Redactor: r, raw: rec.Raw, dst: dst}
	w.walk(rec.WholeRoot(), []*step{&r.root})
	if w.done == 0 {
		return dst, false
	}
	return append(w.dst, rec.Raw[w.done:]...), true
}

// writer copies a record up to done.
type writer struct {
	*Redactor
	raw, dst []byte
	done     int
}

// walk redacts what is inside of v. steps are all the places that its path stands for.
func (w *writer) walk(v cloudtrail.Value, steps []*step) {
	for m := v.FirstEvery(); m.Exists(); m = m.NextEvery() {
		next := steps
		if v.Kind() == cloudtrail.KindObject {
			next = nil
			for _, s := range steps {
				next = s.follow(next, m.Key())
			}
		}
		if len(next) > 0 && !w.apply(m, next) {
			w.walk(m, next)
		}
	}
}

func (s *step) follow(into []*step, key []byte) []*step {
	if one := s.keys[string(key)]; one != nil {
		into = append(into, one)
	}
	if one := s.keys[anyKey]; one != nil {
		into = append(into, one)
	}
	return into
}

// apply replaces v if its path ends here. Of an array to be hashed each element is.
func (w *writer) apply(v cloudtrail.Value, steps []*step) bool {
	drop, hash := false, false
	for _, s := range steps {
		drop, hash = drop || s.drop, hash || s.hash
	}
	switch {
	case drop:
		w.replace(v, "null")
	case hash && v.Kind() == cloudtrail.KindNull:
	case hash && v.Kind() != cloudtrail.KindArray:
		mac := hmac.New(sha256.New, w.key)
		mac.Write(v.Bytes())
		w.replace(v, `"`+hex.EncodeToString(mac.Sum(nil))+`"`)
	default:
		return false
	}
	return true
}

func (w *writer) replace(v cloudtrail.Value, text string) {
	start, end := v.Span()
	w.dst = append(w.dst, w.raw[w.done:start]...)
	w.dst = append(w.dst, text...)
	w.done = end
}
