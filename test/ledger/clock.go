package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// libfaketime does not reach a Go program, which links no C library, and the machine's own clock is not ours to set. So the
// row clock builds the same daemon with one more file, through go build -overlay, which steps the clock that the Go runtime
// reads: an hour ahead, back, an hour behind, and back.
//
//go:embed clock
var clockFiles embed.FS //nolint:gochecknoglobals // go:embed wants one

// buildStepped builds the daemon whose wall clock is stepped, when one of the rows can be played that wants it. That is before
// any row begins: a compiler beside them would take the CPU that they need.
func (s *setting) buildStepped(ctx context.Context, rows []*row) (err error) {
	if slices.ContainsFunc(rows, func(r *row) bool { return r.more.clock && r.cannot() == "" }) {
		s.stepped, err = buildStepped(ctx, s.logs)
	}
	return err
}

func buildStepped(ctx context.Context, dir string) (binary string, err error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", daemonPackage).Output()
	if err != nil {
		return "", fmt.Errorf("finding the daemon's main package: %w", err)
	}
	replace := map[string]string{}
	for _, name := range []string{"clock.go", "clock_amd64.s"} {
		text, err := clockFiles.ReadFile("clock/" + name + ".txt")
		if err != nil {
			return "", err
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(strings.TrimSpace(string(out)), "ledger_"+name)] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "trailship-stepped")
	return binary, build(ctx, binary, "-overlay", file)
}

// maxSkew is how far the clock of a request may be off. Source: IAM User Guide, "Troubleshoot Signature Version 4 signing".
const maxSkew = 5 * time.Minute

// skewed reports whether a request was signed by a clock that is wrong.
func skewed(r *http.Request) bool {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	return err == nil && time.Since(at).Abs() > maxSkew
}

// tooSkewed is the answer to a request that a wrong clock has signed.
func tooSkewed(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, "InvalidSignatureException", "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
}
