package enrich

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// savedFormat is raised when what the file holds changes; a file of another format is not read.
const savedFormat = 1

// saved is the cache file.
type saved struct {
	Format     int              `json:"format"`
	Principals []savedPrincipal `json:"principals"`
}

type savedPrincipal struct {
	Kind      string    `json:"kind"`
	Partition string    `json:"partition,omitempty"`
	Account   string    `json:"account"`
	Name      string    `json:"name"`
	Loaded    time.Time `json:"loaded"`
	answer
}

// load takes over the cache file, if there is one. Answers keep their age: old ones serve until they are asked for anew.
func (t *tagger) load() error {
	var in saved
	if err := readFile(t.file, &in); err != nil {
		return fmt.Errorf("reading the cache of IAM tags: %w", err)
	}
	if in.Format != savedFormat {
		return nil
	}
	for _, s := range in.Principals {
		p := principal{kind: user, partition: s.Partition, account: s.Account, name: s.Name}
		if s.Kind == role.String() {
			p.kind = role
		}
		if !isAccount([]byte(p.account)) || !isName([]byte(p.name)) {
			continue
		}
		t.store(t.make(p, s.answer, s.Loaded))
	}
	return nil
}

// save writes the cache file when something changed: a new file that replaces the old one whole.
func (t *tagger) save() error {
	if t.file == "" || !t.dirty.Swap(false) {
		return nil
	}
	out := saved{Format: savedFormat}
	for _, e := range t.cache.All() {
		p := e.principal
		out.Principals = append(out.Principals, savedPrincipal{
			Kind: p.kind.String(), Partition: p.partition, Account: p.account, Name: p.name, Loaded: e.loaded.UTC(), answer: e.answer,
		})
	}
	if err := writeFile(t.file, out); err != nil {
		t.dirty.Store(true)
		return fmt.Errorf("writing the cache of IAM tags: %w", err)
	}
	return nil
}

// savedNames is the cache file of account names.
type savedNames struct {
	Format       int               `json:"format"`
	Organization string            `json:"organization,omitempty"`
	Names        map[string]string `json:"names"`
}

// load takes over the cache file, if there is one: its names serve until AWS is asked.
func (a *accounts) load() error {
	var in savedNames
	if err := readFile(a.file, &in); err != nil {
		return fmt.Errorf("reading the cache of account names: %w", err)
	}
	if in.Format != savedFormat || len(in.Names) == 0 {
		return nil
	}
	a.publish(in.Organization, in.Names)
	a.late.Store(true) // nobody has to wait
	return nil
}

// save writes the cache file.
func (a *accounts) save(organization string, names map[string]string) error {
	if a.file == "" {
		return nil
	}
	if err := writeFile(a.file, savedNames{Format: savedFormat, Organization: organization, Names: names}); err != nil {
		return fmt.Errorf("writing the cache of account names: %w", err)
	}
	return nil
}

// readFile decodes a cache file, which need not be there.
func readFile(path string, into any) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeFile writes a cache file beside the old one and puts it in its place.
func writeFile(path string, content any) (err error) {
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
