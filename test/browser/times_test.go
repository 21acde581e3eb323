//go:build browser

package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// times are what steps took, to be shown and never judged.
type times struct{ lines []string }

func (all *times) add(what string, took time.Duration) {
	all.lines = append(all.lines, fmt.Sprintf("%-52s %8.0f ms", what, float64(took)/float64(time.Millisecond)))
}

// show prints the table, and leaves it beside the pictures.
func (all *times) show(t *testing.T) {
	t.Helper()
	table := strings.Join(all.lines, "\n") + "\n"
	t.Logf("what it took:\n%s", table)
	if err := os.WriteFile(filepath.Join(folder(t), "times.txt"), []byte(table), 0o600); err != nil {
		t.Error(err)
	}
}

// folder is where the run keeps its pictures.
func folder(t *testing.T) string {
	t.Helper()
	if f := os.Getenv("TRAILSHIP_TEST_LOGS"); f != "" {
		return f
	}
	return t.TempDir()
}
