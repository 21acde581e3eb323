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

func (t *times) add(what string, took time.Duration) {
	t.lines = append(t.lines, fmt.Sprintf("%-52s %8.0f ms", what, float64(took)/float64(time.Millisecond)))
}

// show prints the table, and leaves it beside the pictures.
func (t *times) show(test *testing.T) {
	test.Helper()
	table := strings.Join(t.lines, "\n") + "\n"
	test.Logf("what it took:\n%s", table)
	if err := os.WriteFile(filepath.Join(folder(test), "times.txt"), []byte(table), 0o600); err != nil {
		test.Error(err)
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
