package main

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// disk is the file system that a daemon keeps its dead letters on, seen from the stand-in.
type disk struct {
	world *world
	path  string

	mu   sync.Mutex
	read map[string]int // bytes of each file that are in the book
}

// look enters new dead letters into the book, and notes when the disk is full.
func (d *disk) look() {
	d.mu.Lock()
	defer d.mu.Unlock()
	var s syscall.Statfs_t
	if syscall.Statfs(d.path, &s) == nil && s.Bavail == 0 {
		d.world.strike(kindFull, nil)
	}
	files, err := filepath.Glob(filepath.Join(d.path, "*.ndjson"))
	if err != nil {
		return // the pattern is good
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil || len(text) < d.read[name] {
			continue // gone, or cut back after a write that did not fit
		}
		for line := range bytes.Lines(text[d.read[name]:]) {
			if bytes.HasSuffix(line, []byte("\n")) {
				d.world.book.letter(line)
				d.read[name] += len(line)
			}
		}
	}
}
